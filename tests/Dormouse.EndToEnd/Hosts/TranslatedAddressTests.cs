using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>A connection between two members of which each knows another address than the other has: NAT lies between them.</summary>
internal sealed class TranslatedAddressTests
{
    private const string Port = "7801";

    /// <summary>TCP to port 6000 comes to port 5555 of this host: an nf_tables chain with one rule, nfnetlink as in nf_tables.h, since nft need not be
    /// installed.</summary>
    private const string Redirect = """
        import socket, struct
        def part(kind, value): return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
        def nest(kind, *parts): return part(kind | 0x8000, b"".join(parts))
        def number(kind, value): return part(kind, struct.pack(">I", value))
        def text(kind, value): return part(kind, value.encode() + b"\0")
        def message(kind, flags, family, resource, *parts):
            body = struct.pack(">BBH", family, 0, resource) + b"".join(parts)
            return struct.pack("=IHHII", 16 + len(body), kind, flags | 1, 1, 0) + body
        def new(kind, *parts): return message(10 << 8 | kind, 0x404, 2, 0, *parts)
        def expression(name, *parts): return nest(1, text(1, name), nest(2, *parts))
        rule = nest(4,
            expression("payload", number(1, 1), number(2, 2), number(3, 2), number(4, 2)),
            expression("cmp", number(1, 1), number(2, 0), nest(3, part(1, struct.pack(">H", 6000)))),
            expression("immediate", number(1, 1), nest(2, part(1, struct.pack(">H", 5555)))),
            expression("redir", number(1, 1)))
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        link.send(message(0x10, 0, 0, 10) + new(0, text(1, "t"))
            + new(3, text(1, "t"), text(3, "c"), nest(4, number(1, 0), number(2, 0xffffff9c)), text(7, "nat"))
            + new(6, text(1, "t"), text(2, "c"), rule) + message(0x11, 0, 0, 10))
        for _ in range(3): print(struct.unpack_from("=i", link.recv(4096), 16)[0])
        """;

    [Test, CancelAfter(90_000)]
    public async Task Connections_AreNamedAtTheCheckpoint(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b");
        ToolResult translation = await hosts.RunOnAsync(token, "a", "root", "python3", "-c", Redirect);
        if (translation.Output != "0\n0\n0\n") Assert.Ignore($"the kernel cannot translate addresses: {translation.Output}{translation.Errors}");
        string images = Path.Combine(hosts.Shared, "images"), sample = Built.Sample("two-hosts");
        RunningProcess job = hosts.StartOn(
            "a", "mouse", "dmlaunch", "-p", Port, "--ckptdir", images, "bash", "-c",
            $"{sample} listen 5555 > >(tee /tmp/out) & until grep -q listening /tmp/out 2> /dev/null; do sleep 0.1; done; ssh b {sample} {hosts.AddressOf("a")} 6000; wait");
        await Condition.WaitAsync("ready", () => (job.Output.Contains("ready", StringComparison.Ordinal), job.Errors), CheckpointedProgram.Deadline, token);

        ToolResult checkpoint = await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--checkpoint");

        Assert.That(checkpoint.ExitCode, Is.Zero, hosts.Transcript.ToString());
        string all = checkpoint.Output + checkpoint.Errors;
        Assert.That(all, Does.Match("10\\.77\\.0\\.1:5555 .* is outside the computation, or behind an address translation \\(NAT\\)"), hosts.Transcript.ToString());
        Assert.That(all, Does.Match("10\\.77\\.0\\.1:6000 is outside the computation, or behind an address translation \\(NAT\\)"), hosts.Transcript.ToString());
        hosts.Passed();
    }
}
