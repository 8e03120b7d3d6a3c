namespace Dormouse.Coordinator.Generations;

/// <summary>One image of a committed generation, and where it is now.</summary>
/// <param name="Path">Absolute, on <paramref name="HostName"/>.</param>
public sealed record StoredImage(uint Member, string HostName, int Pid, string Program, string Path, ulong Bytes);
