namespace Dormouse.Runtime.Process;

/// <summary>struct rlimit64, getrlimit(2).</summary>
internal readonly record struct Limit(ulong Soft, ulong Hard);
