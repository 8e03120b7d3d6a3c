// One class for each rule, breaking it and no other.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dormouse.GeneratorTests.Samples;

internal static class TakesBool
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_bool")]
    internal static int Run(bool value) => value ? 1 : 0;
}

internal static class TakesStruct
{
    internal struct Pair
    {
        public long First, Second;
    }

    [UnmanagedCallersOnly(EntryPoint = "dm_managed_struct")]
    internal static long Run(Pair pair) => pair.First + pair.Second;
}

internal static class ReturnsDouble
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_double")]
    internal static double Run() => 1;
}

public static unsafe class NeedsC99Type
{
    public struct Address
    {
        public int Family;
    }

    [UnmanagedCallersOnly(EntryPoint = "connect")]
    public static int Connect(int descriptor, Address* address, uint bytes) => descriptor + address->Family + (int)bytes;
}

internal static class HasNoName
{
    [UnmanagedCallersOnly]
    internal static int Run() => 0;
}

internal static class HasTooManyParameters
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_seven")]
    internal static int Run(int a, int b, int c, int d, int e, int f, int g) => a + b + c + d + e + f + g;
}

internal static class SameNameTwice
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_twice")]
    internal static int First() => 1;

    [UnmanagedCallersOnly(EntryPoint = "dm_managed_twice")]
    internal static int Second() => 2;
}

public static class Overloaded
{
    [UnmanagedCallersOnly(EntryPoint = "close")]
    public static int Close(int descriptor) => descriptor;

    [UnmanagedCallersOnly(EntryPoint = "getpid")]
    public static int Close() => 0;
}

public static class UnknownToLibc
{
    [UnmanagedCallersOnly(EntryPoint = "dormouse_wakes")]
    public static int Run() => 0;
}

internal static class NotExported
{
    [UnmanagedCallersOnly(EntryPoint = "getuid")]
    internal static int Run() => 0;
}

internal static class StartsThread
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_thread")]
    internal static int Run()
    {
        new Thread(() => { }).Start();
        return 0;
    }
}

internal static class StartsTask
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_task")]
    internal static int Run() => Deeper();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Deeper() => Task.Run(() => 1).Result;
}

internal static class IsAsync
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_async")]
    internal static int Run()
    {
        _ = WaitAsync();
        return 0;
    }

    private static async ValueTask WaitAsync() => await default(ValueTask);
}

internal static class StartsTimer
{
    private static Timer? s_timer;

    [UnmanagedCallersOnly(EntryPoint = "dm_managed_timer")]
    internal static int Run()
    {
        s_timer = new Timer(_ => { }, null, 1, 1);
        return s_timer.GetHashCode();
    }
}

internal static class UsesPoolBehindInterface
{
    private interface IWork
    {
        int Do();
    }

    private sealed class Work : IWork
    {
        int IWork.Do() => ThreadPool.QueueUserWorkItem(_ => { }) ? 1 : 0;
    }

    private static readonly IWork s_work = new Work();

    [UnmanagedCallersOnly(EntryPoint = "dm_managed_pool")]
    internal static int Run() => s_work.Do();
}

internal static class PrintsInStaticConstructor
{
    private static readonly int s_value = Print();

    [UnmanagedCallersOnly(EntryPoint = "dm_managed_console")]
    internal static int Run() => s_value;

    private static int Print()
    {
        Console.WriteLine("here");
        return 1;
    }
}

internal static class ReadsFile
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_file")]
    internal static int Run() => File.ReadAllBytes("/proc/self/maps").Length;
}

internal static class ReadsEnvironment
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_environment")]
    internal static int Run() => Environment.GetEnvironmentVariable("HOME")?.Length ?? 0;
}

internal static class AsksForType
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_type")]
    internal static int Run() => new object().GetType().Name.Length;
}

internal static class HasFinalizer
{
    private sealed class Owner
    {
        public int Value = 1;

        ~Owner() => Value = 0;
    }

    [UnmanagedCallersOnly(EntryPoint = "dm_managed_finalizer")]
    internal static int Run() => new Owner().Value;
}

internal static class OpensHandle
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_handle")]
    internal static int Run() => new Microsoft.Win32.SafeHandles.SafeFileHandle(0, false).IsInvalid ? 1 : 0;
}

internal static class PrintsEnum
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_enum")]
    internal static int Run(int day) => $"on {(DayOfWeek)day}".Length;
}

internal static class PrintsRecord
{
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_record")]
    internal static int Run(int number) => $"{(number > 0 ? new Records.Small(number) : (Records.Small?)null)}".Length;
}
