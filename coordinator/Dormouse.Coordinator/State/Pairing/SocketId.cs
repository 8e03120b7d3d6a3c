namespace Dormouse.Coordinator.State.Pairing;

/// <summary>One socket, whoever holds it: the host (boot and PID namespace), and the number that its kernel has given it.</summary>
internal readonly record struct SocketId(string HostId, ulong Cookie);
