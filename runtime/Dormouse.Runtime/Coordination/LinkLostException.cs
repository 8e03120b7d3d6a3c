namespace Dormouse.Runtime.Coordination;

/// <summary>The connection to the coordinator has ended.</summary>
internal sealed class LinkLostException(string message) : Exception(message);
