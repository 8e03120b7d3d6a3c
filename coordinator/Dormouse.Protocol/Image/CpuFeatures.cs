using System.Runtime.Intrinsics.X86;

namespace Dormouse.Protocol.Image;

/// <summary>The instructions that a program may have found and may go on using after it has moved. World: all.</summary>
/// <remarks>
/// Libraries ask CPUID once and keep the answer in memory (glibc's IFUNCs, OpenBLAS, OpenSSL), so the waking processor
/// needs every one that the sleeping one had. Only bits that user code can act on are compared: ERMS, for instance, is a
/// matter of speed. Numbers: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
/// </remarks>
public static class CpuFeatures
{
    private readonly record struct Bit(int Word, int Number, string Name);

    private static readonly (int Leaf, int Subleaf, int Register)[] s_words =
    [
        (1, 0, 2), (1, 0, 3), (7, 0, 1), (7, 0, 2), (7, 0, 3), (7, 1, 0),
        (unchecked((int)0x80000001), 0, 2), (unchecked((int)0x80000001), 0, 3), (0xD, 0, 0), (0xD, 1, 0),
    ];

    private static readonly Bit[] s_bits =
    [
        new(0, 0, "sse3"), new(0, 1, "pclmulqdq"), new(0, 9, "ssse3"), new(0, 12, "fma"), new(0, 13, "cx16"),
        new(0, 19, "sse4_1"), new(0, 20, "sse4_2"), new(0, 22, "movbe"), new(0, 23, "popcnt"), new(0, 25, "aes"),
        new(0, 27, "osxsave"), new(0, 28, "avx"), new(0, 29, "f16c"), new(0, 30, "rdrand"),
        new(1, 15, "cmov"), new(1, 19, "clflush"), new(1, 23, "mmx"), new(1, 24, "fxsr"), new(1, 25, "sse"), new(1, 26, "sse2"),
        new(2, 0, "fsgsbase"), new(2, 3, "bmi1"), new(2, 5, "avx2"), new(2, 8, "bmi2"), new(2, 11, "rtm"),
        new(2, 16, "avx512f"), new(2, 17, "avx512dq"), new(2, 18, "rdseed"), new(2, 19, "adx"), new(2, 21, "avx512ifma"),
        new(2, 23, "clflushopt"), new(2, 24, "clwb"), new(2, 26, "avx512pf"), new(2, 27, "avx512er"),
        new(2, 28, "avx512cd"), new(2, 29, "sha_ni"), new(2, 30, "avx512bw"), new(2, 31, "avx512vl"),
        new(3, 1, "avx512vbmi"), new(3, 4, "ospke"), new(3, 5, "waitpkg"), new(3, 6, "avx512_vbmi2"), new(3, 8, "gfni"),
        new(3, 9, "vaes"), new(3, 10, "vpclmulqdq"), new(3, 11, "avx512_vnni"), new(3, 12, "avx512_bitalg"),
        new(3, 14, "avx512_vpopcntdq"), new(3, 22, "rdpid"), new(3, 25, "cldemote"), new(3, 27, "movdiri"),
        new(3, 28, "movdir64b"), new(3, 29, "enqcmd"),
        new(4, 2, "avx512_4vnniw"), new(4, 3, "avx512_4fmaps"), new(4, 8, "avx512_vp2intersect"), new(4, 14, "serialize"),
        new(4, 22, "amx_bf16"), new(4, 23, "avx512_fp16"), new(4, 24, "amx_tile"), new(4, 25, "amx_int8"),
        new(5, 4, "avx_vnni"), new(5, 5, "avx512_bf16"), new(5, 7, "cmpccxadd"), new(5, 21, "amx_fp16"), new(5, 23, "avx_ifma"),
        new(6, 0, "lahf_lm"), new(6, 5, "abm"), new(6, 6, "sse4a"), new(6, 8, "3dnowprefetch"), new(6, 11, "xop"),
        new(6, 16, "fma4"), new(6, 21, "tbm"), new(6, 29, "mwaitx"),
        new(7, 27, "rdtscp"), new(7, 30, "3dnowext"), new(7, 31, "3dnow"),
        new(8, 2, "avx state"), new(8, 5, "avx512 mask state"), new(8, 6, "avx512 upper state"), new(8, 7, "avx512 high state"),
        new(8, 9, "protection key state"), new(8, 17, "amx tile configuration state"), new(8, 18, "amx tile data state"),
        new(9, 1, "xsavec"),
    ];

    /// <summary>The words of this processor; none when it cannot tell.</summary>
    public static uint[] Read()
    {
        if (!X86Base.IsSupported)
        {
            return [];
        }

        int highest = X86Base.CpuId(0, 0).Eax;
        uint highestExtended = (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax;
        var words = new uint[s_words.Length];
        for (int index = 0; index < words.Length; index++)
        {
            (int leaf, int subleaf, int register) = s_words[index];
            bool known = leaf < 0 ? (uint)leaf <= highestExtended : leaf <= highest;
            if (!known)
            {
                continue;
            }

            (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(leaf, subleaf);
            words[index] = (uint)(register switch { 0 => eax, 1 => ebx, 2 => ecx, _ => edx });
        }

        return words;
    }

    /// <summary>Names of the features that <paramref name="needed"/> has and <paramref name="present"/> lacks.</summary>
    public static string[] Missing(uint[] needed, uint[] present)
    {
        ArgumentNullException.ThrowIfNull(needed);
        ArgumentNullException.ThrowIfNull(present);
        var names = new List<string>();
        foreach (Bit bit in s_bits)
        {
            if (Has(needed, bit) && !Has(present, bit))
            {
                names.Add(bit.Name);
            }
        }

        return names.ToArray();
    }

    private static bool Has(uint[] words, Bit bit) => bit.Word < words.Length && (words[bit.Word] >> bit.Number & 1) != 0;
}
