using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.CoordinatorTool;

/// <summary>The daemon's end of the pipe on which its starter waits for one line.</summary>
internal sealed class ReadyPipe(int descriptor)
{
    private bool _hasSpoken;

    /// <summary>Says it and closes the pipe. What comes later is not for the starter.</summary>
    /// <returns>False: the starter is gone.</returns>
    public bool Say(string line)
    {
        if (_hasSpoken) return true;
        _hasSpoken = true;
        try
        {
            using FileStream pipe = new(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Write, bufferSize: 0);
            pipe.Write(Encoding.UTF8.GetBytes(line + "\n"));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
