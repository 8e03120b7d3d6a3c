using System.Net;
using System.Net.Sockets;
using Dormouse.Coordinator.Host;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Ssh;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;
using Dormouse.Protocol.Image;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>
/// dmrestart --hosts: one restart on several hosts. Each host has a dmrestart of its own, started by ssh; together they look at images,
/// and only when all are ready does anything begin. This host's part becomes the restorer, as always; without one this process waits
/// for the part that has the first program, and ends as that does.
/// </summary>
internal sealed class HostsRestart(RestartOptions options, Action<string> note)
{
    private readonly List<RemotePart> _remotes = [];
    private string? _ownTarget;

    public int Run()
    {
        string[] looked = [.. options.Images.Select(Path.GetFullPath)];
        foreach (string target in options.Targets)
        {
            if (_ownTarget is null && IsOwnHost(target)) _ownTarget = target;
            else _remotes.Add(RemotePart.Start(target, looked));
        }

        List<HostShare> catalogs = [];
        Dictionary<string, IReadOnlyList<CatalogImage>> seen = _remotes.ToDictionary(remote => remote.Target, remote => remote.ReceiveCatalog());
        if (_ownTarget is not null) seen.Add(_ownTarget, ImageCatalog.Look(looked));
        foreach (string target in options.Targets) catalogs.Add(new HostShare(target, seen[target]));

        IReadOnlyList<CatalogImage> generation = HostPlacement.Choose(catalogs, note);
        IReadOnlyList<HostShare> shares = HostPlacement.Assign(generation, catalogs, options.HostMap);
        foreach (RemotePart idle in _remotes.Where(remote => ShareOf(shares, remote.Target).Count == 0).ToArray())
        {
            idle.Leave();
            _remotes.Remove(idle);
        }

        return options.CheckOnly ? Check(generation, shares) : Wake(generation, shares);
    }

    private int Check(IReadOnlyList<CatalogImage> generation, IReadOnlyList<HostShare> shares)
    {
        foreach (RemotePart remote in _remotes) remote.Prepare(ShareOf(shares, remote.Target), options, [], "-");
        if (OwnPart(shares) is { } own)
        {
            own.VerifyMemory();
            foreach (string difference in own.Differences) Terminal.WriteLine(Terminal.Out, difference);
        }

        foreach (RemotePart remote in _remotes)
        {
            foreach (string difference in remote.ExpectReady()) Terminal.WriteLine(Terminal.Out, difference);
        }

        Terminal.WriteLine(Terminal.Out, $"{Describe(generation)} can be woken: {DescribePlaces(shares)}.");
        return ExitCode.Success;
    }

    private int Wake(IReadOnlyList<CatalogImage> generation, IReadOnlyList<HostShare> shares)
    {
        LocalPart? own = OwnPart(shares);
        own?.RefuseWhileRunning();
        using CoordinatorClient coordinator = RestartCoordinator.Open(options, Path.GetDirectoryName(generation[0].Path)!);
        try
        {
            return WakeUnder(coordinator, own, generation, shares);
        }
        catch
        {
            RestartCoordinator.GiveUp(coordinator);
            throw;
        }
    }

    private int WakeUnder(CoordinatorClient coordinator, LocalPart? own, IReadOnlyList<CatalogImage> generation, IReadOnlyList<HostShare> shares)
    {
        string[] endpoints = Reachable(coordinator);
        foreach (RemotePart remote in _remotes) remote.Prepare(ShareOf(shares, remote.Target), options, endpoints, coordinator.Address.Token);
        foreach (RemotePart remote in _remotes) remote.ExpectReady();

        note($"waking {Describe(generation)}: {DescribePlaces(shares)}");
        ulong session = RestartPlanner.NewSession();
        CoordinatorContact contact = RestartCoordinator.Begin(
            coordinator, new RestartBegin(generation[0].Computation, generation[0].Generation, session, (uint)generation.Count));
        foreach (RemotePart remote in _remotes) remote.Go();
        if (own is null) return WaitFor(coordinator, generation, shares);

        foreach (RemotePart remote in _remotes) remote.Leave();
        throw own.Become(contact, session);
    }

    /// <summary>No process wakes here: stands for the part that has the first program.</summary>
    private int WaitFor(CoordinatorClient coordinator, IReadOnlyList<CatalogImage> generation, IReadOnlyList<HostShare> shares)
    {
        string first = shares.First(share => share.Images.Any(image => image.Member == generation[0].Member)).Target;
        RemotePart leader = _remotes.Find(remote => remote.Target == first)!;
        foreach (RemotePart remote in _remotes.Where(remote => remote != leader)) remote.Leave();

        while (true)
        {
            FrameKind kind = coordinator.Receive(out ReadOnlySpan<byte> payload);
            if (kind == FrameKind.RestartDone) break;
            if (kind != FrameKind.RestartProgress) throw CoordinatorClient.Unexpected(kind, payload);
        }

        // Our input is the program's. Nothing waits for the end of this thread.
        Thread copying = new(() => CopyInput(leader)) { IsBackground = true };
        copying.Start();
        using Ending ending = new(coordinator.Address);
        int exitCode = leader.Ssh.WaitForEnd();

        // A terminal sends its signals to ssh as well.
        if (leader.Ssh.Signal != 0) ending.EndAll();
        return ending.Signal != 0 ? 128 + ending.Signal : exitCode;
    }

    private static void CopyInput(RemotePart leader)
    {
        try
        {
            using FileStream input = new(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
            input.CopyTo(leader.Ssh.Input);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // There is none, or nobody reads it.
        }

        leader.Leave();
    }

    private LocalPart? OwnPart(IReadOnlyList<HostShare> shares)
        => _ownTarget is not null && ShareOf(shares, _ownTarget) is { Count: > 0 } mine
            ? LocalPart.Open(mine.Select(image => image.Path), options, RestartNative.HasTerminal())
            : null;

    /// <summary>The coordinator listens on loopback until somebody needs it elsewhere.</summary>
    private string[] Reachable(CoordinatorClient coordinator)
    {
        if (_remotes.Count == 0) return [];
        if (!HostAddresses.IsOurs(coordinator.Address.Endpoint.Address)) return [coordinator.Address.Endpoint.ToString()];
        List<string> endpoints = [];
        foreach (IPAddress address in HostAddresses.All(null))
        {
            coordinator.Send(new ReachCommand(address.ToString()));
            if (coordinator.Receive(out ReadOnlySpan<byte> payload) == FrameKind.Reached) endpoints.Add(Frame.Read<Reached>(payload).Endpoint);
        }

        return [.. endpoints];
    }

    private static IReadOnlyList<CatalogImage> ShareOf(IReadOnlyList<HostShare> shares, string target) => shares.First(share => share.Target == target).Images;

    private static string Describe(IReadOnlyList<CatalogImage> generation)
        => Generation.Describe(generation.Count, generation[0].Generation, generation[0].Computation);

    /// <summary>"what ran on a on c, b on d".</summary>
    private static string DescribePlaces(IReadOnlyList<HostShare> shares) => "what ran on " + HostPlacement.Names(
        from share in shares
        from host in OriginalHost.Of(shares.SelectMany(all => all.Images))
        where share.Images.Contains(host.Images[0])
        select $"{host.Name} on {HostPlacement.HostName(share.Target)}");

    private static bool IsOwnHost(string target)
    {
        if (target.Contains('@', StringComparison.Ordinal)) return false;
        if (target == "localhost" || target == OwnHost.Name) return true;
        try
        {
            return Dns.GetHostAddresses(target).Any(HostAddresses.IsOurs);
        }
        catch (SocketException)
        {
            // ssh may know it by another name.
            return false;
        }
    }
}
