namespace Dormouse.Protocol.Image;

/// <summary>A child that had ended and that its parent had not yet waited for.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="WaitStatus">As wait(2) will report it.</param>
/// <param name="ProcessGroup">The group that it belonged to.</param>
/// <param name="Session">The session that it belonged to.</param>
public readonly record struct ZombieChild(int Pid, int WaitStatus, int ProcessGroup, int Session);

/// <summary>One open descriptor, for people who read the manifest.</summary>
/// <param name="Fd">Its number.</param>
/// <param name="Kind">One word: file, pipe, tcp, eventfd …</param>
/// <param name="Description">What it is connected to.</param>
public readonly record struct DescriptorNote(int Fd, string Kind, string Description);

/// <summary>A file that must be there, unchanged, when the image wakes.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="SizeBytes">Its size at the checkpoint.</param>
/// <param name="ModifiedNanoseconds">Its modification time, nanoseconds since the epoch.</param>
/// <param name="How">How it is used: mapped, open …</param>
public readonly record struct NeededFile(string Path, long SizeBytes, long ModifiedNanoseconds, string How);
