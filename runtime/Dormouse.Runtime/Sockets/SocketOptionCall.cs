using System.Runtime.InteropServices;

namespace Dormouse.Runtime.Sockets;

/// <summary>struct dm_option_call of native-shim/src/socket_options.h.</summary>
/// <param name="Level">SOL_SOCKET, IPPROTO_TCP …</param>
/// <param name="Number">As include/uapi has it.</param>
/// <param name="At">Where its length is to lie, and behind it the value.</param>
/// <param name="Bytes">Size of its value.</param>
/// <param name="Covered">How many of those behind it are 0 when this has no value.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct SocketOptionCall(int Level, int Number, ushort At, byte Bytes, byte Covered);
