using System.Globalization;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>The pages of code and clocks that this kernel gives to every process, see vdso(7).</summary>
/// <param name="Bytes">Their sizes by kind.</param>
/// <param name="Fingerprint">See <see cref="Vdso.Fingerprint"/>.</param>
internal sealed record KernelPages(IReadOnlyDictionary<VmaKind, ulong> Bytes, uint Fingerprint)
{
    /// <summary>Those of this process, from proc_pid_maps(5).</summary>
    public static unsafe KernelPages Read()
    {
        Dictionary<VmaKind, ulong> sizes = [];
        uint fingerprint = 0;
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            VmaKind kind = line[(line.LastIndexOf(' ') + 1)..] switch
            {
                "[vdso]" => VmaKind.Vdso,
                "[vvar]" => VmaKind.Vvar,
                "[vvar_vclock]" => VmaKind.VvarClock,
                _ => VmaKind.None,
            };
            if (kind == VmaKind.None)
            {
                continue;
            }

            int dash = line.IndexOf('-', StringComparison.Ordinal);
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            ulong start = ulong.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong end = ulong.Parse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            sizes[kind] = end - start;
            if (kind == VmaKind.Vdso)
            {
                fingerprint = Vdso.Fingerprint(new ReadOnlySpan<byte>((void*)start, (int)(end - start)));
            }
        }

        return new KernelPages(sizes, fingerprint);
    }

    /// <summary>Whether a program that knows the pages of <paramref name="image"/> can use these.</summary>
    public bool Fit(ImageFile image)
    {
        foreach (ImageVma vma in image.Vmas)
        {
            if (vma.Kind >= VmaKind.Vdso && (!Bytes.TryGetValue(vma.Kind, out ulong size) || size != vma.End - vma.Start))
            {
                return false;
            }
        }

        uint known = image.Manifest.VdsoFingerprint;
        return known == 0 || Fingerprint == 0 || known == Fingerprint;
    }
}
