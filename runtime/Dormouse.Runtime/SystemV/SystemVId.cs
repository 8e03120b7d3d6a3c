// World: restored process.
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.SystemV;

/// <summary>Ids of System V objects, which programs keep and pass on: sysvipc(7).</summary>
internal static class SystemVId
{
    /// <summary>Without the right to choose the kernel counts up; a new namespace begins at 0.</summary>
    private const int MostAttempts = 100_000;

    /// <summary>Makes an object with the id <paramref name="wanted"/>.</summary>
    /// <param name="kind">shm, sem or msg.</param>
    /// <param name="wanted">The id.</param>
    /// <param name="create">Makes an object and returns its id, or -errno.</param>
    /// <param name="remove">Removes one with another id.</param>
    /// <returns>The id or -errno; EEXIST when the id cannot be had, EPERM when it is of the past and may not be chosen.</returns>
    public static int Create(string kind, int wanted, Func<int> create, Action<int> remove)
    {
        bool mayChoose = false;
        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            // Each time: another member may have chosen in between.
            mayChoose = ChooseNext(kind, wanted);
            int id = create();
            if (id < 0 || id == wanted)
            {
                return id;
            }

            remove(id);
        }

        return mayChoose ? -Errno.Exists : -Errno.NotPermitted;
    }

    /// <summary>What to do about a failure of <see cref="Create"/>.</summary>
    public static string Advice(long error)
        => error == -Errno.NotPermitted
            ? "An ordinary user may not choose its id outside of a pod: run dmrestart as root, or where pods are allowed."
            : "Remove what is in its place (ipcs), or restart with --pod.";

    // proc_sys_kernel(5), shm_next_id: for those with CAP_CHECKPOINT_RESTORE.
    private static bool ChooseNext(string kind, int wanted)
    {
        int fd = Kernel.Open($"/proc/sys/kernel/{kind}_next_id", Constant.O_WRONLY | Constant.O_CLOEXEC);
        if (fd >= 0)
        {
            Kernel.Write(fd, System.Text.Encoding.ASCII.GetBytes(wanted.ToString(CultureInfo.InvariantCulture)));
            Kernel.Close(fd);
        }

        return fd >= 0;
    }
}
