// World: a restored process whose program threads are still parked.
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;

namespace Dormouse.Runtime.Coordination;

/// <summary>What the programs that this one starts are told of their computation: native-shim/src/membership.h.</summary>
internal static unsafe class Membership
{
    /// <summary>After a restart they belong to the coordinator that woke us.</summary>
    /// <param name="coordinator">Where it listens.</param>
    /// <param name="stdio">See <see cref="Descriptors.LaunchStdio"/>.</param>
    /// <param name="library">Path of libdormouse.so, NUL-terminated; empty: where it was.</param>
    public static void Change(CoordinatorAddress coordinator, string stdio, byte* library)
    {
        fixed (byte* address = Kernel.Terminated(coordinator.HostAndPort))
        fixed (byte* token = Kernel.Terminated(Convert.ToHexStringLower(coordinator.Token)))
        fixed (byte* streams = Kernel.Terminated(stdio))
        fixed (byte* namespaces = Kernel.Terminated(OwnNamespaces.Describe()))
        {
            Shim.ChangeMembership(address, token, streams, namespaces, library);
        }
    }
}
