using System.Net;
using System.Text;
using Dormouse.Coordinator.Host;
using Dormouse.Launcher.Ssh;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>The dmrestart on another host, seen from the one that was called.</summary>
internal sealed class RemotePart
{
    private const int CommandNotFound = 127;
    private readonly SshProcess _ssh;
    private readonly IReadOnlyList<(RelaySocket Socket, IPAddress Any)> _listeners = RelayLink.Listen();
    private readonly byte[] _controlToken = RandomBytes.Take(TokenProof.TokenBytes);
    private readonly byte[] _session = RandomBytes.Take(TokenProof.NonceBytes);
    private RelaySocket? _answers;

    private RemotePart(string target, SshProcess ssh) => (Target, _ssh) = (target, ssh);

    /// <summary>As the user has named it: host or user@host.</summary>
    public string Target { get; }

    public SshProcess Ssh => _ssh;

    /// <summary>Starts ssh, and tells what to look for. Does not wait.</summary>
    /// <param name="images">Absolute paths.</param>
    public static RemotePart Start(string target, IEnumerable<string> images)
    {
        RemotePart part = new(target, SshProcess.Start(target, RemoteScript()));
        part.Say(
        [
            $"{PartWords.Control} {Convert.ToHexStringLower(part._controlToken)}",
            $"{PartWords.Session} {Convert.ToHexStringLower(part._session)}",
            .. from address in HostAddresses.All(null)
               from listener in part._listeners
               where listener.Any.AddressFamily == address.AddressFamily
               select $"{PartWords.Reach} {new IPEndPoint(address, listener.Socket.Port)}",
            .. images.Select(image => $"{PartWords.Look} {PartWords.Encode(image)}"),
            PartWords.End,
        ]);
        return part;
    }

    /// <exception cref="ToolException">It cannot be reached, or has a problem; one sentence.</exception>
    public IReadOnlyList<CatalogImage> ReceiveCatalog()
    {
        _answers = RelayLink.Accept([.. _listeners.Select(listener => listener.Socket)], _controlToken, _session, () => _ssh.ExitCode is not null) ?? throw Unreachable();
        foreach ((RelaySocket socket, _) in _listeners) socket.Dispose();
        return [.. Expect(PartWords.Catalog).Skip(1).Select(CatalogImage.FromLine)];
    }

    /// <summary>Tells what to wake. Does not wait.</summary>
    /// <param name="coordinators">Endpoints, the likeliest first; with <see cref="RestartOptions.CheckOnly"/>: none.</param>
    public void Prepare(IEnumerable<CatalogImage> images, RestartOptions options, IEnumerable<string> coordinators, string token) => Say(
        [
            .. images.Select(image => $"{PartWords.Wake} {PartWords.Encode(image.Path)}"),
            .. coordinators.Select(endpoint => $"{PartWords.Coordinator} {endpoint}"),
            $"{PartWords.Token} {token}",
            .. options.CheckOnly ? [$"{PartWords.Option} {PartWords.CheckOnly}"] : Array.Empty<string>(),
            .. options.Quiet ? [$"{PartWords.Option} {PartWords.Quiet}"] : Array.Empty<string>(),
            .. options.AcceptChangedFiles ? [$"{PartWords.Option} {PartWords.AcceptChangedFiles}"] : Array.Empty<string>(),
            .. options.Pod == PodChoice.Always ? [$"{PartWords.Option} {PartWords.Pod}"] : Array.Empty<string>(),
            .. options.Pod == PodChoice.Never ? [$"{PartWords.Option} {PartWords.NoPod}"] : Array.Empty<string>(),
            PartWords.End,
        ]);

    /// <returns>What will not be as it was.</returns>
    /// <exception cref="ToolException">It cannot wake them; one sentence.</exception>
    public IReadOnlyList<string> ExpectReady() => Expect(PartWords.Ready)[1..];

    /// <summary>All hosts are ready: begin. Returns when the coordinator has accepted it as a part of the restart.</summary>
    public void Go()
    {
        Say([PartWords.Go]);
        Expect(PartWords.Begun);
    }

    /// <summary>It has nothing to do, or will get no more from us.</summary>
    public void Leave() => _ssh.Input.Dispose();

    private string[] Expect(string kind)
    {
        if (PartAnswers.Receive(_answers!) is not { } lines) throw new ToolException(ExitCode.CannotLaunch, $"dmrestart on {Target} ended without a word. Run dmrestart --check there to see why.");
        if (lines[0] == kind) return lines;
        throw new ToolException(ExitCode.CannotLaunch, lines[0] == PartWords.Problem ? $"On {Target}: {lines[1]}" : $"dmrestart on {Target} is of another version. Install the same one everywhere.");
    }

    private void Say(IEnumerable<string> lines)
    {
        try
        {
            _ssh.Input.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
        }
        catch (IOException)
        {
            throw Unreachable();
        }
    }

    /// <summary>ssh itself has said more, and so has the script when there is no Dormouse.</summary>
    private ToolException Unreachable() => new(ExitCode.CannotLaunch, _ssh.ExitCode switch
    {
        null => $"{Target} cannot connect back to this host. Open the way for TCP from there.",
        CommandNotFound => $"{Target} has no Dormouse at {Environment.ProcessPath} nor in PATH. Install it there.",
        int code => $"{Target} cannot be reached: ssh ended with {code}.",
    });

    /// <summary>Any login shell understands it; the same path as here first, then whatever is installed.</summary>
    private static string RemoteScript()
    {
        string own = Environment.ProcessPath ?? "dormouse";
        return $"exec sh -c 'test -x {own} && exec {own} {PartWords.RemoteName}; command -v dormouse >/dev/null && exec dormouse {PartWords.RemoteName}; exit {CommandNotFound}'";
    }
}
