namespace Dormouse.Protocol.Programs;

/// <summary>Files of /proc: inside a program they are read without .NET's own means.</summary>
public interface IProcessFiles
{
    /// <summary>The whole file; empty when it cannot be read.</summary>
    string ReadText(string path);

    /// <summary>At most <see cref="ElfProgram.StartBytes"/> from its beginning; null when it cannot be opened.</summary>
    byte[]? ReadStart(string path);
}
