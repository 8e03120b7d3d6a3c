namespace Dormouse.Runtime.Interop;

/// <summary>Error numbers that our code tells apart, and their names for messages: errno(3).</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int NoProcess = 3;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int BadDescriptor = 9;
    public const int NoChild = 10;
    public const int TryAgain = 11;
    public const int NoMemory = 12;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int Invalid = 22;
    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;
    public const int NoSuchOption = 92;
    public const int NotSupported = 95;
    public const int AddressInUse = 98;
    public const int AddressNotAvailable = 99;
    public const int NoBufferSpace = 105;
    public const int TimedOut = 110;
    public const int ConnectionRefused = 111;
    public const int InProgress = 115;
    public const int QuotaExceeded = 122;

    /// <summary>The text for a negative result of a system call.</summary>
    public static string Text(long result) => (int)-result switch
    {
        NotPermitted => "operation not permitted (EPERM)",
        NoEntry => "no such file or directory (ENOENT)",
        InputOutput => "input/output error (EIO)",
        BadDescriptor => "bad file descriptor (EBADF)",
        TryAgain => "resource temporarily unavailable (EAGAIN)",
        NoMemory => "out of memory (ENOMEM)",
        AccessDenied => "permission denied (EACCES)",
        Exists => "file exists (EEXIST)",
        Invalid => "invalid argument (EINVAL)",
        24 => "too many open files (EMFILE)",
        27 => "file too large (EFBIG)",
        NoSpace => "no space left on device (ENOSPC)",
        ReadOnlyFileSystem => "read-only file system (EROFS)",
        AddressInUse => "address already in use (EADDRINUSE)",
        AddressNotAvailable => "address not available (EADDRNOTAVAIL)",
        104 => "connection reset (ECONNRESET)",
        NoBufferSpace => "no buffer space available (ENOBUFS)",
        TimedOut => "timed out (ETIMEDOUT)",
        ConnectionRefused => "connection refused (ECONNREFUSED)",
        QuotaExceeded => "disk quota exceeded (EDQUOT)",
        int number => "error " + number.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
