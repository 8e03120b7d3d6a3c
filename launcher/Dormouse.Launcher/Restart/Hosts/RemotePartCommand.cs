using System.Net;
using Dormouse.Coordinator.Host;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Ssh;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;
using Dormouse.Protocol.Image;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>dmrestart on another host, started by <see cref="HostsRestart"/> through ssh: looks, gets ready, and becomes the restorer when all are.</summary>
internal static class RemotePartCommand
{
    public static int Run()
    {
        using FileStream input = new(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        ILookup<string, string> first = ReadRequest(input);
        if (!first.Contains(PartWords.End)) return ExitCode.CannotLaunch;
        byte[] token = Convert.FromHexString(first[PartWords.Control].First()), session = Convert.FromHexString(first[PartWords.Session].First());
        if (RelayLink.Connect(first[PartWords.Reach].Select(IPEndPoint.Parse), token, session, out string problem) is not { } answers)
        {
            Terminal.Complain("dmrestart", $"{OwnHost.Name} cannot connect back: {problem}. Open the way for TCP from there.");
            return ExitCode.CannotLaunch;
        }

        try
        {
            PartAnswers.Send(answers, [PartWords.Catalog, .. ImageCatalog.Look(first[PartWords.Look].Select(PartWords.Decode)).Select(image => image.ToLine())]);
            ILookup<string, string> second = ReadRequest(input);
            return second.Contains(PartWords.End) ? Wake(input, answers, second) : ExitCode.Success;
        }
        catch (Exception failure) when (failure is RestartException or ToolException or ImageFormatException or IOException or UnauthorizedAccessException)
        {
            PartAnswers.Send(answers, [PartWords.Problem, failure.Message.ReplaceLineEndings(" ")]);
            return ExitCode.CannotLaunch;
        }
    }

    private static int Wake(Stream input, RelaySocket answers, ILookup<string, string> request)
    {
        string[] told = [.. request[PartWords.Option]];
        RestartOptions options = new()
        {
            Images = [],
            IsCalledFromElsewhere = true,
            Quiet = told.Contains(PartWords.Quiet),
            AcceptChangedFiles = told.Contains(PartWords.AcceptChangedFiles),
            Pod = told.Contains(PartWords.Pod) ? PodChoice.Always : told.Contains(PartWords.NoPod) ? PodChoice.Never : PodChoice.WhenPossible,
        };
        LocalPart part = LocalPart.Open(request[PartWords.Wake].Select(PartWords.Decode), options, hasTerminal: false);
        if (told.Contains(PartWords.CheckOnly))
        {
            part.VerifyMemory();
            PartAnswers.Send(answers, [PartWords.Ready, .. part.Differences]);
            return ExitCode.Success;
        }

        part.RefuseWhileRunning();
        using CoordinatorClient coordinator = Reach([.. request[PartWords.Coordinator]], request[PartWords.Token].First());
        PartAnswers.Send(answers, [PartWords.Ready, .. part.Differences]);
        if (LineReader.Read(input) != PartWords.Go) return ExitCode.Success;

        ImageManifest first = part.First;
        ulong session = RestartPlanner.NewSession();
        CoordinatorContact contact = RestartCoordinator.Begin(coordinator, new RestartBegin(first.Computation, first.Generation, session, first.ImageCount, IsPart: true, OnlyJoins: true));
        PartAnswers.Send(answers, [PartWords.Begun]);
        throw part.Become(contact, session);
    }

    private static CoordinatorClient Reach(IReadOnlyList<string> endpoints, string token)
    {
        foreach (string endpoint in endpoints)
        {
            IPEndPoint parsed = IPEndPoint.Parse(endpoint);
            using RelaySocket? trial = RelayLink.Reach(parsed);
            if (trial is not null) return CoordinatorClient.Connect(new CoordinatorAddress(parsed, token));
        }

        throw new RestartException($"The coordinator cannot be reached at {string.Join(" or ", endpoints)}. Open the way for TCP from there.");
    }

    /// <summary>Lines of a key and a value; without "end" the other side is gone.</summary>
    private static ILookup<string, string> ReadRequest(Stream input)
    {
        List<(string Key, string Value)> lines = [];
        while (LineReader.Read(input) is { } line)
        {
            string[] words = line.Split(' ', 2);
            lines.Add((words[0], words.Length > 1 ? words[1] : ""));
            if (line == PartWords.End) break;
        }

        return lines.ToLookup(line => line.Key, line => line.Value);
    }
}
