// What the generator accepts, with every kind of type that it can spell.

using System.Runtime.InteropServices;
using DNNE;

namespace Dormouse.GeneratorTests.Samples;

public static unsafe class Good
{
    public enum Which
    {
        Process,
        Group,
        User,
    }

    [UnmanagedCallersOnly(EntryPoint = "getppid")]
    public static int GetParent() => 1;

    [UnmanagedCallersOnly(EntryPoint = "readlink")]
    [return: C99Type("ssize_t")]
    [C99DeclCode("#include <sys/types.h>")]
    public static nint ReadLink([C99Type("const char*")] byte* path, [C99Type("char*")] byte* buffer, nuint bytes)
        => path == null || buffer == null ? -1 : (nint)bytes;

    [UnmanagedCallersOnly(EntryPoint = "getpriority")]
    public static int GetPriority([C99Type("int")] Which which, uint who) => (int)which + (int)who;

    [UnmanagedCallersOnly(EntryPoint = "free")]
    public static void Release(void* pointer)
    {
    }

    [UnmanagedCallersOnly(EntryPoint = "dm_managed_good")]
    internal static int Own(long number) => (int)number;

    public static class Nested
    {
        [UnmanagedCallersOnly(EntryPoint = "getpgrp")]
        public static int GetGroup() => 2;
    }
}
