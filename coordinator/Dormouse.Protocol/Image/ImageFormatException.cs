namespace Dormouse.Protocol.Image;

/// <summary>A file is no image that this version can use. The message is one sentence for the user.</summary>
public sealed class ImageFormatException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public ImageFormatException()
    {
    }

    /// <summary>Makes one with a sentence for the user.</summary>
    public ImageFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a sentence for the user and the cause.</summary>
    public ImageFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
