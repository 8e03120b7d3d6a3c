using System.Runtime.InteropServices;
using System.Text;

namespace Dormouse.Launcher.Restart;

/// <summary>What this host allows.</summary>
/// <param name="PodAllowed">Pods can be made.</param>
/// <param name="InUserNamespace">They need user namespaces.</param>
/// <param name="PodProblem">Why pods cannot be made.</param>
/// <param name="ExactIdsAllowed">Process ids can be chosen also without a pod.</param>
/// <param name="ExactIdsProblem">Why they cannot.</param>
internal sealed record HostAbilities(bool PodAllowed, bool InUserNamespace, string PodProblem, bool ExactIdsAllowed, string ExactIdsProblem);

/// <summary>The native program that does what .NET cannot: lib/dormouse/dormouse-restorer.</summary>
internal static unsafe class Restorer
{
    /// <summary>The path of the program: ../lib/dormouse next to the directory of this executable.</summary>
    /// <exception cref="RestartException">It is not there.</exception>
    public static string FindProgram()
    {
        string directory = Path.GetDirectoryName(Environment.ProcessPath) ?? "/";
        string path = Path.GetFullPath(Path.Combine(directory, "../lib/dormouse/dormouse-restorer"));
        return File.Exists(path)
            ? path
            : throw new RestartException($"{path} is missing. Install Dormouse again.");
    }

    /// <summary>Runs the restorer's own trial: 3 milliseconds.</summary>
    public static HostAbilities Probe(string program)
    {
        string output = RunAndRead(program, "--probe");
        string pod = "the probe failed";
        string ids = "the probe failed";
        bool user = false;
        foreach (string line in output.Split('\n'))
        {
            if (line.StartsWith("pod: ", StringComparison.Ordinal))
            {
                pod = line[5..];
            }
            else if (line.StartsWith("ids: ", StringComparison.Ordinal))
            {
                ids = line[5..];
            }
            else if (line.StartsWith("user namespaces: ", StringComparison.Ordinal))
            {
                user = line.EndsWith("yes", StringComparison.Ordinal);
            }
        }

        return new HostAbilities(pod == "ok", user, pod, ids == "ok", ids);
    }

    /// <summary>Becomes the restorer: does not return unless it fails.</summary>
    public static RestartException Become(string program, byte[] plan, int coordinatorDescriptor)
    {
        int planDescriptor;
        fixed (byte* name = "dormouse-plan\0"u8)
        {
            planDescriptor = RestartNative.CreateMemoryFile(name, 0);
        }

        if (planDescriptor < 0 || !WriteAll(planDescriptor, plan))
        {
            return new RestartException($"cannot hold the plan in memory: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        if (coordinatorDescriptor >= 0)
        {
            _ = RestartNative.DescriptorControl(coordinatorDescriptor, RestartNative.FcntlSetDescriptorFlags, 0);
        }

        using var arguments = new NativeStrings("dmrestart", planDescriptor.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var environment = new NativeStrings();
        using var path = new NativeStrings(program);
        _ = RestartNative.Execute(path.Pointer[0], arguments.Pointer, environment.Pointer);
        return new RestartException($"cannot execute {program}: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    private static bool WriteAll(int descriptor, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            fixed (byte* start = bytes)
            {
                nint written = RestartNative.Write(descriptor, start, (nuint)bytes.Length);
                if (written <= 0)
                {
                    return false;
                }

                bytes = bytes[(int)written..];
            }
        }

        return true;
    }

    private static string RunAndRead(string program, string argument)
    {
        int* pipe = stackalloc int[2];
        if (RestartNative.Pipe(pipe, 0) < 0)
        {
            throw new RestartException($"cannot make a pipe: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        _ = RestartNative.DescriptorControl(pipe[0], RestartNative.FcntlSetDescriptorFlags, RestartNative.ClosedOnExec);
        using var path = new NativeStrings(program);
        using var arguments = new NativeStrings(program, argument, pipe[1].ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var environment = new NativeStrings();
        int pid;
        int error = RestartNative.Spawn(&pid, path.Pointer[0], null, null, arguments.Pointer, environment.Pointer);
        _ = RestartNative.Close(pipe[1]);
        string output = error == 0 ? ReadAll(pipe[0]) : "";
        _ = RestartNative.Close(pipe[0]);
        if (error != 0)
        {
            throw new RestartException($"cannot execute {program}: error {error}.");
        }

        int status;
        _ = RestartNative.Wait(pid, &status, 0);
        return output;
    }

    private static string ReadAll(int descriptor)
    {
        var text = new StringBuilder();
        byte* buffer = stackalloc byte[512];
        nint got;
        while ((got = RestartNative.Read(descriptor, buffer, 512)) > 0)
        {
            text.Append(Encoding.ASCII.GetString(buffer, (int)got));
        }

        return text.ToString();
    }
}
