namespace Dormouse.Protocol;

/// <summary>The peer sent something it may not send. Ends that connection, never the process that reads it.</summary>
public sealed class ProtocolException(string message) : Exception(message);
