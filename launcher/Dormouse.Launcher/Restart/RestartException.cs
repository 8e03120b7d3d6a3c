namespace Dormouse.Launcher.Restart;

/// <summary>The images cannot be woken here. The message is one sentence that says why and what to do.</summary>
public sealed class RestartException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public RestartException()
    {
    }

    /// <summary>Makes one with a sentence for the user.</summary>
    public RestartException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a sentence for the user and the cause.</summary>
    public RestartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
