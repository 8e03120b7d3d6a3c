namespace Dormouse.Protocol;

/// <summary>The kind of a message, second field of its frame. Numbers are never used again for something else.</summary>
public enum FrameKind : ushort
{
    None = 0,

    // Between a member and the coordinator.
    MemberHello = 1,
    Welcome = 2,
    CheckpointRequested = 3,
    Suspended = 4,
    ChildrenUnknown = 5,
    BarrierReached = 6,
    BarrierReleased = 7,
    Inventory = 8,
    Candidates = 9,
    ImageWritten = 10,
    CommitImages = 11,
    CommitDone = 12,
    CheckpointFailed = 13,
    Abort = 14,
    CheckpointFinished = 15,
    KillRequested = 16,
    RestartFailed = 18,
    Publish = 19,
    Lookup = 20,
    Published = 21,
    Announce = 22,
    Announced = 23,
    ProbeEnds = 24,
    EndReports = 25,
    NamedEnds = 26,
    ImageFileWanted = 27,
    ImageFileSent = 28,

    // Opening of every connection.
    ServerHello = 50,
    ClientHello = 51,
    Refused = 52,
    CommandHello = 53,

    // From a command to the coordinator.
    CheckpointCommand = 100,
    StatusCommand = 101,
    ListCommand = 102,
    KillCommand = 103,
    QuitCommand = 104,
    IntervalCommand = 105,
    RestartBegin = 106,
    DirectoryCommand = 107,
    AnnounceCommand = 108,
    ReachCommand = 110,
    DismissCommand = 111,
    PreparingCommand = 112,

    // From the coordinator to a command.
    CommandWelcome = 120,
    CommandDone = 121,
    CommandFailed = 122,
    StatusReport = 123,
    MemberReport = 124,
    ImageReport = 125,
    CheckpointReport = 126,
    RestartAccepted = 127,
    RestartProgress = 128,
    RestartDone = 129,
    Reached = 131,
}
