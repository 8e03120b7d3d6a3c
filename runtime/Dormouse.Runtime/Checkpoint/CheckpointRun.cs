// World: Guest until the threads are suspended, then Frozen.
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Coordination;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;
using Dormouse.Runtime.Process;
using Dormouse.Runtime.Sockets.External;
using Dormouse.Runtime.Sockets.Pairing;
using Dormouse.Runtime.SystemV;

namespace Dormouse.Runtime.Checkpoint;

/// <summary>How a checkpoint ended in this process.</summary>
/// <param name="IsRestored">This is the process that a restart has made of the image.</param>
/// <param name="Image">Written and to be synced; null when the checkpoint failed or was called off.</param>
internal readonly record struct CheckpointOutcome(bool IsRestored, WrittenImage? Image);

/// <summary>One checkpoint in one process, from SUSPEND to RESUME; see docs/PROTOCOL.md.</summary>
internal sealed unsafe class CheckpointRun(Worker worker, Link link, CheckpointRequested request)
{
    private const int ChildrenPollMilliseconds = 5;
    private bool _isSuspended;
    private string _finalName = "";
    private string? _temporaryPath;
    private int _fd = -1;
    private readonly BorrowedDescriptors _borrowed = new();
    private LibraryPages? _library;
    private ImageBuilder? _builder;
    private List<Mapping> _mappings = [];

    public ProcessState? Process { get; private set; }

    public DescriptorTable? Descriptors { get; private set; }

    public SharedMemory? SharedMemory { get; private set; }

    public FileSnapshots? Files { get; private set; }

    public SystemVObjects? SystemV { get; private set; }

    public uint Epoch => request.Epoch;

    public CheckpointOutcome Execute()
    {
        try
        {
            return Run();
        }
        catch (CheckpointException failure)
        {
            string reason = worker.Who() + ": " + failure.Message;
            CleanUp();
            link.Send(new CheckpointFailed(request.Epoch, reason, failure.IsPassing));
        }
        catch (CalledOffException)
        {
            CleanUp();
        }
        catch (LinkLostException)
        {
            CleanUp();
            throw;
        }
        catch (Exception mistake)
        {
            // Ours; but the program must not stand still for ever.
            CleanUp();
            link.Send(new CheckpointFailed(request.Epoch, CheckpointException.OfMistake(worker.Who(), mistake)));
        }

        return default;
    }

    /// <summary>In the restored process: releases what only the checkpoint needed.</summary>
    public void ReleaseAfterRestore()
    {
        _builder!.ReleaseScratch();
        _isSuspended = true;
    }

    private CheckpointOutcome Run()
    {
        // First: elsewhere there may be no /proc.
        OwnNamespaces.Check();
        MemoryLimits.MakeRoom();
        ExternalConnections.Begin(request.KeepExternal, worker.Computation, worker.Member);
        BatchLauncher.Check(Kernel.ReadLink("/proc/self/exe") ?? "");
        OpenImage();
        Dumpability.Open();
        _library = LibraryPages.PutInto(_fd);
        long start = Kernel.Clock(Constant.CLOCK_MONOTONIC);
        Suspend();
        ReportChildren();
        // Bound before the inventory goes out: whoever has the answer can count on it.
        using var exchange = DescriptorExchange.Open(worker.Computation ^ ((ulong)request.Epoch << 32), worker.Member);
        Borrow(exchange, out List<int> numbers);
        ExchangeInventory(numbers, out Candidates candidates);
        Descriptors!.Capture(exchange);
        Files!.Capture();
        SystemV!.Capture();
        exchange.Dispose();
        Process = ProcessState.Capture();
        Addresses.ShownHost.Note();
        Pass(Phase.Drain);

        var identity = new ImageIdentity(worker.Computation, request.Generation, worker.Member, candidates.ImageCount);
        worker.Generation = request.Generation;
        ImageMetadata(identity, out ImageManifest manifest);
        _builder = new ImageBuilder(_fd, _temporaryPath!, identity, _library!, _mappings);
        ImageFigures? figures = _builder.Write(manifest, SharedMemory!.SavedHere);
        if (figures is null)
        {
            return new CheckpointOutcome(true, null);
        }

        CapturedMemory.Release();
        Pass(Phase.Write);
        ReleaseDescriptors();
        Dumpability.Close();
        // What it did until its end would be done once more by the restart.
        if (!request.KillAfter)
        {
            Resume();
        }

        long standstill = Kernel.Clock(Constant.CLOCK_MONOTONIC) - start;
        return new CheckpointOutcome(false, new WrittenImage(
            request.Epoch, _fd, _temporaryPath!, _finalName, figures.Value, (ulong)standstill / 1000, manifest.Losses));
    }

    /// <summary>The program goes on, also when only its end was to follow and then it does not.</summary>
    public void Resume()
    {
        if (_isSuspended)
        {
            ExternalConnections.GoOn();
            DescriptorLimit.GiveBack();
            MemoryLimits.GiveBack();
            Shim.Resume();
            _isSuspended = false;
        }
    }

    private static int CreateFile(string path)
        => Kernel.Open(path, Constant.O_RDWR | Constant.O_CREAT | Constant.O_TRUNC | Constant.O_CLOEXEC, 0x180);

    private void OpenImage()
    {
        _finalName = ImageNames.Image(ProcFile.ReadText("/proc/self/comm"), worker.Computation, worker.Member);
        _temporaryPath = request.Directory + "/" + ImageNames.Temporary(_finalName, request.Epoch);
        _fd = CreateImage(_temporaryPath);
        if (_fd < 0)
        {
            int error = _fd;
            throw new CheckpointException(ImageFailure.Describe(_temporaryPath, error));
        }

        _fd = DescriptorNumbers.Raise(_fd);
        DiskSpace.Check(_fd, request.Directory);
    }

    /// <summary>A descriptor, or -errno.</summary>
    private int CreateImage(string path)
    {
        // With root's image comes what root has opened: keeps_rights in native-shim/restorer/wake.h.
        bool hasBeenRoot = Shim.PrivilegesAreGivenUp() != 0;
        if (hasBeenRoot && TryBorrowImage() is >= 0 and int roots)
        {
            return roots;
        }

        int fd = CreateFile(path);
        if (fd == -Errno.NoEntry)
        {
            // The coordinator has made the directory on its own host.
            Directories.MakeParents(path);
            fd = CreateFile(path);
        }

        bool isForbidden = fd is -Errno.AccessDenied or -Errno.NotPermitted;
        return isForbidden && !hasBeenRoot && TryBorrowImage() is >= 0 and int borrowed ? borrowed : fd;
    }

    private int TryBorrowImage()
    {
        using var file = new BorrowedImageFile(request.Epoch, _temporaryPath!);
        link.Send(file.Request);
        for (; ; )
        {
            Next(out FrameKind kind, out ReadOnlySpan<byte> payload);
            if (kind == FrameKind.ImageFileSent)
            {
                return Frame.Read<ImageFileSent>(payload).IsThere ? file.Take() : -1;
            }
        }
    }

    private void Suspend()
    {
        SuspendFailure failure;
        uint deadline = request.DeadlineSeconds * 1000u;
        int error;
        do
        {
            error = Shim.Suspend(deadline, &failure);
        }
        while (error == -Errno.TryAgain);

        if (error < 0)
        {
            throw new CheckpointException(SuspendProblem.Describe(failure, request.DeadlineSeconds));
        }

        _isSuspended = true;
    }

    private void ReportChildren()
    {
        var unknown = new UnknownChildren();
        SendSuspended(unknown);
        for (; ; )
        {
            Next(out FrameKind kind, out ReadOnlySpan<byte> payload);
            if (kind == FrameKind.BarrierReleased && Frame.Read<BarrierReleased>(payload).Phase == Phase.Suspend)
            {
                return;
            }

            if (kind == FrameKind.ChildrenUnknown)
            {
                unknown.Look(Frame.Read<ChildrenUnknown>(payload).Children);
                Kernel.Sleep(ChildrenPollMilliseconds);
                SendSuspended(unknown);
            }
        }
    }

    private void SendSuspended(UnknownChildren unknown)
    {
        uint threads;
        Shim.SuspendedSlots(&threads);
        link.Send(new Suspended(request.Epoch, threads, unknown.Without(Children.Alive())));
    }

    private void Borrow(DescriptorExchange exchange, out List<int> numbers)
    {
        numbers = DescriptorTable.Numbers(_fd, link.Descriptor, exchange.Descriptor);
        DescriptorLimit.RaiseAbove(numbers.Count > 0 ? numbers[^1] : 0);
        if (BorrowedDescriptors.IsNeeded)
        {
            link.MoveOutOf(numbers);
            exchange.MoveOutOf(numbers);
            _fd = DescriptorNumbers.MoveOutOf(_fd, numbers);
        }

        _borrowed.Take(numbers);
    }

    private void ExchangeInventory(List<int> numbers, out Candidates candidates)
    {
        Descriptors = DescriptorTable.Read(numbers);
        _mappings = MapsReader.Read();
        SharedMemory = SharedMemory.Read(_mappings, Descriptors.Files);
        Files = FileSnapshots.Read(Descriptors.Files, SharedMemory);
        SystemV = SystemVObjects.Read();
        var items = new List<InventoryItem>();
        var ends = new List<ConnectionEnd>();
        Descriptors.Announce(items, ends);
        SharedMemory.Announce(items);
        Files.Announce(items);
        SystemV.Announce(items);
        link.Send(new Inventory(request.Epoch, items.ToArray(), ends.ToArray()));
        candidates = AwaitCandidates();
        var others = new CandidateTable(candidates.Items);
        Descriptors.Resolve(worker.Member, others);
        SharedMemory.Resolve(worker.Member, others);
        Files.Resolve(worker.Member, others);
        SystemV.Resolve(worker.Member, others);
    }

    private Candidates AwaitCandidates()
    {
        using var probes = new EndProbes(request.Epoch, Descriptors!.Connections(connection => connection.IsInNetwork));
        for (; ; )
        {
            Next(out FrameKind kind, out ReadOnlySpan<byte> payload);
            switch (kind)
            {
                case FrameKind.ProbeEnds:
                    link.Send(probes.Do(Frame.Read<ProbeEnds>(payload)));
                    break;
                case FrameKind.NamedEnds:
                    probes.Name(Frame.Read<NamedEnds>(payload));
                    break;
                case FrameKind.Candidates:
                    return Frame.Read<Candidates>(payload);
            }
        }
    }

    private void ImageMetadata(ImageIdentity identity, out ImageManifest manifest)
    {
        manifest = ManifestBuilder.Build(identity, Process!.Attributes, _mappings);
        Descriptors!.Describe(manifest);
        var losses = new List<string>(manifest.Losses);
        Process.AddLosses(losses);
        Files!.AddLosses(losses);
        manifest.Losses = losses.ToArray();
    }

    private void Pass(Phase phase)
    {
        link.Send(new BarrierReached(request.Epoch, phase));
        for (; ; )
        {
            Next(out FrameKind kind, out ReadOnlySpan<byte> payload);
            if (kind == FrameKind.BarrierReleased && Frame.Read<BarrierReleased>(payload).Phase == phase)
            {
                return;
            }
        }
    }

    private void Next(out FrameKind kind, out ReadOnlySpan<byte> payload)
    {
        link.Receive(-1, out kind, out payload);
        if (kind == FrameKind.Abort)
        {
            throw new CalledOffException();
        }

        if (kind == FrameKind.KillRequested)
        {
            Kernel.Call(SystemCall.Kill, Kernel.Pid, 9);
        }
    }

    private void ReleaseDescriptors()
    {
        Descriptors?.ReleaseCarried();
        _borrowed.Release();
    }

    private void CleanUp()
    {
        ReleaseDescriptors();
        CapturedMemory.Release();
        Dumpability.Close();
        Resume();
        MemoryLimits.GiveBack();
        if (_fd >= 0)
        {
            Kernel.Close(_fd);
            Kernel.Unlink(_temporaryPath!);
        }
    }

    private sealed class CalledOffException : Exception;
}
