namespace Dormouse.Runtime.Sockets;

/// <summary>When an option is put back.</summary>
internal enum OptionMoment
{
    /// <summary>When everything else is there: it would be in the way before.</summary>
    Last,

    /// <summary>Before bind(2), which looks at it.</summary>
    BeforeName,

    /// <summary>As <see cref="Last"/>; it follows a <see cref="Summary"/>.</summary>
    Covered,

    /// <summary>Never: when it has no value, those <see cref="Covered"/> behind it are 0.</summary>
    Summary,

    /// <summary>Not from here: another class reads it along with these.</summary>
    Elsewhere,
}

/// <summary>An option that getsockopt(2) shows as setsockopt(2) takes it.</summary>
/// <param name="Level">SOL_SOCKET, IPPROTO_TCP …</param>
/// <param name="Number">As include/uapi has it.</param>
/// <param name="Bytes">Size of its value.</param>
/// <param name="Name">For people.</param>
/// <param name="Moment">When it is put back.</param>
internal readonly record struct SocketOption(int Level, int Number, int Bytes, string Name, OptionMoment Moment = OptionMoment.Last)
{
    public bool IsSetAt(OptionMoment moment) => Moment == moment || (Moment == OptionMoment.Covered && moment == OptionMoment.Last);
}
