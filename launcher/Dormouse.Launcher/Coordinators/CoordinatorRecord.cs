using System.Text.Json;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Coordinators;

/// <summary>What is known about a running coordinator: file coordinator-PORT.json of the runtime directory, mode 0600.</summary>
/// <param name="Host">An address or name under which it is reached.</param>
/// <param name="Token">64 hex digits.</param>
/// <param name="Directory">Where its images went when it started.</param>
/// <param name="FirstMember">The number from which this coordinator counts members; one that takes its place counts from higher up.</param>
/// <param name="Job">The batch job in which it was started, as <see cref="BatchJob"/> names it.</param>
internal sealed record CoordinatorRecord(string Host, int Port, int Pid, string Token, ulong Computation, uint FirstMember, string Directory, string Job)
{
    private const string DefaultName = "default";

    /// <summary>Reads the record of a port, or of the newest coordinator.</summary>
    /// <returns>Null when there is none that can be understood.</returns>
    public static CoordinatorRecord? Read(int? port)
    {
        foreach (string directory in RuntimeDirectory.Existing())
        {
            if (Read(Path.Combine(directory, port is { } number ? FileName(number) : DefaultName)) is { } record) return record;
        }

        return null;
    }

    /// <summary>The newest of those that were started in a batch job, or, when the name is empty, in none.</summary>
    public static CoordinatorRecord? ReadNewestOf(string job)
    {
        foreach (string directory in RuntimeDirectory.Existing())
        {
            if (Records(directory).Select(file => Read(file.FullName)).FirstOrDefault(record => record?.Job == job) is { } newest) return newest;
        }

        return null;
    }

    /// <summary>Those of this user on this host that run.</summary>
    public static List<CoordinatorRecord> Running()
        => [.. RuntimeDirectory.Existing().SelectMany(Records).Select(file => Read(file.FullName)).OfType<CoordinatorRecord>().Where(record => !record.HasEnded)];

    /// <summary>Writes it, and makes it the one that commands talk to when they are not told otherwise.</summary>
    public void Write(string directory)
    {
        string temporary = Path.Combine(directory, $".{FileName(Port)}.{Environment.ProcessId}");
        FileStreamOptions create = new()
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (FileStream file = new(temporary, create))
        using (Utf8JsonWriter json = new(file))
        {
            json.WriteStartObject();
            json.WriteString("host", Host);
            json.WriteNumber("port", Port);
            json.WriteNumber("pid", Pid);
            json.WriteString("token", Token);
            json.WriteString("computation", Computation.ToString("x16"));
            json.WriteNumber("firstMember", FirstMember);
            json.WriteString("directory", Directory);
            json.WriteString("job", Job);
            json.WriteNumber("protocol", ProtocolVersion.Current);
            json.WriteEndObject();
        }

        File.Move(temporary, Path.Combine(directory, FileName(Port)), overwrite: true);
        PointDefaultTo(directory, FileName(Port));
    }

    /// <summary>The coordinator runs no more: a process that is ending has no executable, though it may still have its sockets.</summary>
    public bool HasEnded
    {
        get
        {
            try
            {
                return File.ResolveLinkTarget($"/proc/{Pid}/exe", returnFinalTarget: false) is null;
            }
            catch (UnauthorizedAccessException)
            {
                return false;
            }
            catch (IOException)
            {
                return true;
            }
        }
    }

    /// <summary>Takes the record away; the newest of the others becomes the default.</summary>
    public void Remove(string directory)
    {
        string path = Path.Combine(directory, FileName(Port));
        if (Read(path) is not { } written || written.Pid != Pid) return;
        File.Delete(path);
        string link = Path.Combine(directory, DefaultName);
        if (new FileInfo(link).LinkTarget != FileName(Port)) return;
        FileInfo? newest = Records(directory).FirstOrDefault();
        if (newest is null) File.Delete(link);
        else PointDefaultTo(directory, newest.Name);
    }

    /// <summary>All that are recorded there, the newest first.</summary>
    private static IEnumerable<FileInfo> Records(string directory)
        => new DirectoryInfo(directory).GetFiles("coordinator-*.json").OrderByDescending(file => file.LastWriteTimeUtc);

    private static string FileName(int port) => $"coordinator-{port}.json";

    private static void PointDefaultTo(string directory, string name)
    {
        string temporary = Path.Combine(directory, $".default.{Environment.ProcessId}");
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, name);
        File.Move(temporary, Path.Combine(directory, DefaultName), overwrite: true);
    }

    private static CoordinatorRecord? Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            return new CoordinatorRecord(
                root.GetProperty("host").GetString() ?? "",
                root.GetProperty("port").GetInt32(),
                root.GetProperty("pid").GetInt32(),
                root.GetProperty("token").GetString() ?? "",
                Convert.ToUInt64(root.GetProperty("computation").GetString(), 16),
                root.GetProperty("firstMember").GetUInt32(),
                root.GetProperty("directory").GetString() ?? "/",
                root.TryGetProperty("job", out JsonElement job) ? job.GetString() ?? "" : "");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException
            or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            return null;
        }
    }
}
