using Dormouse.Protocol;

namespace Dormouse.Launcher.Tools;

internal static class Codecs
{
    public static ImageCodec Parse(string? text) => text?.ToLowerInvariant() switch
    {
        null or "raw" or "none" => ImageCodec.Raw,
        "lz4" => ImageCodec.Lz4,
        "zstd" => ImageCodec.Zstd,
        _ => throw new ToolException(ExitCode.Usage, $"{text} is no codec; use raw, lz4 or zstd."),
    };
}
