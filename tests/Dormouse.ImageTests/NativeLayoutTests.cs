using System.Diagnostics;
using Dormouse.Launcher.Restart;
using Dormouse.Protocol.Image;
using NUnit.Framework;

namespace Dormouse.ImageTests;

/// <summary>What C# says about structs of C, against what the C compiler says.</summary>
public sealed class NativeLayoutTests
{
    [Test]
    public void SizesAndOffsets_AgreeWithHeaders()
    {
        var expected = new Dictionary<string, long>
        {
            ["sizeof(struct dm_image_vma)"] = ImageLayout.VmaBytes,
            ["sizeof(struct dm_image_thread)"] = ImageLayout.ThreadBytes,
            ["sizeof(struct dm_image_extent)"] = ImageLayout.ExtentBytes,
            ["DM_IMAGE_HEADER_BYTES"] = ImageLayout.HeaderBytes,
            ["DM_IMAGE_VERSION"] = ImageLayout.Version,
            ["DM_IMAGE_AUXV_WORDS"] = ImageLayout.AuxvWords,
            ["DM_IMAGE_EXTENT_BYTES"] = ImageLayout.LongestExtentBytes,
            ["offsetof(struct dm_image_header, manifest_offset)"] = ImageHeader.SectionsOffset,
            ["offsetof(struct dm_image_header, vma_offset)"] = ImageHeader.SectionsOffset + 16,
            ["offsetof(struct dm_image_header, extent_count)"] = ImageHeader.SectionsOffset + 72,
            ["offsetof(struct dm_image_header, manifest_crc)"] = ImageHeader.ChecksumsOffset,
            ["offsetof(struct dm_image_header, restored_entry)"] = ImageHeader.EntryOffset,
            ["offsetof(struct dm_image_header, mm)"] = ImageHeader.MemoryLayoutOffset,
            ["offsetof(struct dm_image_header, mm.exe_path)"] = ImageHeader.ExePathOffset,
            ["offsetof(struct dm_image_header, header_crc)"] = ImageHeader.HeaderChecksumOffset,
            ["sizeof(struct dm_plan)"] = PlanWriter.HeaderBytes,
            ["sizeof(struct dm_plan_pod)"] = PlanWriter.PodBytes,
            ["sizeof(struct dm_plan_node)"] = PlanWriter.NodeBytes,
            ["offsetof(struct dm_plan, first_root)"] = 68,
            ["offsetof(struct dm_plan, token)"] = 80,
            ["offsetof(struct dm_plan_node, computation)"] = 48,
            ["offsetof(struct dm_plan_node, readers)"] = 84,
            ["offsetof(struct dm_plan_node, thread_count)"] = 92,
            ["DM_NODE_CHECK_GROUP"] = (long)NodeFlags.CheckGroup,
            ["DM_NODE_VIA_INTERMEDIATE"] = (long)NodeFlags.ViaIntermediate,
            ["DM_NODE_ZOMBIE"] = (long)NodeKind.Zombie,
            ["DM_VMA_VVAR_VCLOCK"] = (long)VmaKind.VvarClock,
        };

        long[] actual = Evaluate([.. expected.Keys]);

        Assert.That(actual, Is.EqualTo(expected.Values));
    }

    private static long[] Evaluate(string[] expressions)
    {
        string directory = Directory.CreateTempSubdirectory("dormouse-layout-").FullName;
        string program = Path.Combine(directory, "layout");
        string lines = string.Join('\n', expressions.Select(expression => $"printf(\"%ld\\n\", (long)({expression}));"));
        File.WriteAllText($"{program}.c", $"#include <stddef.h>\n#include <stdio.h>\n#include \"dm_image.h\"\n#include \"plan.h\"\nint main(void) {{ {lines} return 0; }}");
        string shim = Path.Combine(Repository.Root, "native-shim");
        Run("gcc", $"-std=c11 -I{shim}/include -I{shim}/restorer {program}.c -o {program}");
        string output = Run(program, "");
        Directory.Delete(directory, true);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
    }

    private static string Run(string program, string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, program);
        return output;
    }
}
