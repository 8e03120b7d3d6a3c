using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.Generations;

/// <summary>
/// Knows the committed generations and where their images are. The newest has its images in the checkpoint directory itself; at a
/// commit those of the one before move to generation-N beside them. An older image is never overwritten: a commit that broke off
/// half way leaves the older generation complete, some of it moved already, and the next commit finishes that move.
/// </summary>
internal sealed class GenerationStore(string ownHost, int keep)
{
    private readonly SortedDictionary<uint, Generation> _generations = [];
    private readonly List<(string HostName, string Path)> _obsolete = [];
    private uint _highest;

    /// <summary>The last committed generation, 0 when there is none.</summary>
    public uint Newest { get; private set; }

    public IReadOnlyCollection<Generation> Generations => _generations.Values;

    /// <summary>Takes a number that no image has yet, also not one of a checkpoint that failed.</summary>
    public uint TakeNumber() => ++_highest;

    /// <summary>Goes on with a computation that has a past: read its list from <paramref name="directory"/> when there is one.</summary>
    /// <param name="generation">The generation that was woken; 0: none, another coordinator has died.</param>
    public void Adopt(string directory, ulong computation, uint generation)
    {
        foreach (Generation known in GenerationFile.Read(directory, computation)) _generations[known.Number] = known;
        foreach (uint number in _generations.Keys) _highest = Math.Max(_highest, number);
        NoteNumber(generation);
        Newest = generation != 0 ? generation : _generations.Keys.LastOrDefault();
    }

    /// <summary>This number has been used.</summary>
    public void NoteNumber(uint generation) => _highest = Math.Max(_highest, generation);

    /// <summary>Forgets all: another computation begins.</summary>
    public void Clear()
    {
        _generations.Clear();
        _obsolete.Clear();
        (_highest, Newest) = (0, 0);
    }

    /// <summary>Decides every rename of a commit. Changes nothing yet.</summary>
    public CommitPlan Plan(uint number, IReadOnlyCollection<Member> members, DateTimeOffset now)
    {
        List<StoredImage> images = [];
        foreach (Member member in members) images.Add(ImageOf(member));
        CommitPlan plan = new(new Generation(number, now, images));

        Dictionary<(uint, string), Member> movers = members.ToDictionary(member => (member.Id, member.Hello.HostName));
        Dictionary<string, Member> anyOnHost = [];
        Dictionary<string, Member> writers = [];
        HashSet<(string, string)> used = [];
        foreach (Member member in members)
        {
            anyOnHost.TryAdd(member.Hello.HostName, member);
            writers.TryAdd(FinalPath(member), member);
            used.Add((member.Hello.HostName, DirectoryOf(member.Image.TemporaryPath)));
        }

        foreach (Generation older in _generations.Values)
        {
            foreach (StoredImage image in older.Images)
            {
                if (IsArchived(image, older.Number)) continue;

                // Woken on another host, a process may write to a directory that both hosts see: it moves the older image out of its own
                // way first, so that nobody else can take the new one for it.
                Member? writer = writers.GetValueOrDefault(image.Path);
                Member? mover = !used.Contains((image.HostName, DirectoryOf(image.Path))) ? null
                    : movers.GetValueOrDefault((image.Member, image.HostName)) ?? anyOnHost.GetValueOrDefault(image.HostName);
                foreach (Member one in new HashSet<Member?> { writer, mover }.OfType<Member>()) PlanArchive(plan, image, older.Number, one);
            }
        }

        foreach (Member member in members)
        {
            PlanArchiveOfUnknown(plan, member);
            plan.Add(member, new ImageRename(member.Image.TemporaryPath, FinalPath(member), Optional: false));
        }

        return plan;
    }

    /// <summary>All renames are done: the generation exists. Call <see cref="Save"/> next.</summary>
    public void Commit(CommitPlan plan)
    {
        ReplaceArchived(plan.Archived);
        _generations[plan.Generation.Number] = plan.Generation;
        Newest = plan.Generation.Number;

        while (_generations.Count > Math.Max(1, keep))
        {
            Generation oldest = _generations.Values.First();
            _generations.Remove(oldest.Number);
            foreach (StoredImage image in oldest.Images) _obsolete.Add((image.HostName, image.Path));
        }
    }

    /// <summary>The commit broke off. Which of this host's older images have moved can be seen.</summary>
    public void Abandon(CommitPlan plan)
    {
        Dictionary<StoredImage, string> moved = [];
        foreach ((StoredImage image, string to) in plan.Archived)
        {
            if (image.HostName == ownHost && File.Exists(to)) moved.Add(image, to);
        }

        ReplaceArchived(moved);
    }

    /// <exception cref="IOException">The list cannot be written there.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Save(string directory, ulong computation) => GenerationFile.Write(directory, computation, _generations.Values);

    /// <summary>Takes the images that nobody needs any more on this host: for a member there to unlink.</summary>
    public string[] TakeObsolete(string hostName)
    {
        List<string> paths = [];
        for (int i = _obsolete.Count - 1; i >= 0; i--)
        {
            if (_obsolete[i].HostName != hostName || paths.Count >= 1000) continue;
            paths.Add(_obsolete[i].Path);
            _obsolete.RemoveAt(i);
        }

        return [.. paths];
    }

    /// <summary>Unlinks the images on the coordinator's own host that nobody needs any more, and their directories when empty.</summary>
    public void DeleteOwnObsolete()
    {
        foreach (string path in TakeObsolete(ownHost)) ImageFiles.Delete(path);
    }

    /// <summary>Unlinks what nobody needs any more and no member has been asked to unlink, as far as it can be seen from here: also images of
    /// hosts where no member lives now, in a directory that all hosts see.</summary>
    public void DeleteRemainingObsolete()
    {
        foreach ((string _, string path) in _obsolete) ImageFiles.Delete(path);
        _obsolete.Clear();
    }

    private static StoredImage ImageOf(Member member) => new(
        member.Id, member.Hello.HostName, member.Hello.Pid, member.Hello.Program, FinalPath(member), member.Image.ImageBytes);

    private static string FinalPath(Member member) => Path.Combine(DirectoryOf(member.Image.TemporaryPath), member.Image.FinalName);

    private static string DirectoryOf(string path) => Path.GetDirectoryName(path) ?? "/";

    private static string ArchivePath(string path, uint generation)
        => Path.Combine(DirectoryOf(path), ImageNames.Archive(generation), Path.GetFileName(path));

    private static bool IsArchived(StoredImage image, uint generation)
        => Path.GetFileName(DirectoryOf(image.Path)) == ImageNames.Archive(generation);

    /// <summary>Plans the move of an older image out of a directory that the new generation uses.</summary>
    /// <param name="mover">A member on the same host, its own process if that lives; or whoever writes to that very path.</param>
    private static void PlanArchive(CommitPlan plan, StoredImage image, uint generation, Member mover)
    {
        ImageRename rename = new(image.Path, ArchivePath(image.Path, generation), Optional: true);
        plan.Add(mover, rename);
        plan.Archived[image] = rename.To;
    }

    /// <summary>A member woken from an image that this coordinator has no record of: should it lie where the new one goes, it moves.</summary>
    private void PlanArchiveOfUnknown(CommitPlan plan, Member member)
    {
        uint from = member.Hello.Generation;
        if ((member.Hello.Flags & MemberFlags.Restarted) == 0 || from == 0 || _generations.ContainsKey(from)) return;
        plan.Add(member, new ImageRename(FinalPath(member), ArchivePath(FinalPath(member), from), Optional: true));
    }

    private void ReplaceArchived(Dictionary<StoredImage, string> archived)
    {
        if (archived.Count == 0) return;
        foreach (Generation generation in _generations.Values.ToArray())
        {
            List<StoredImage> images = [];
            foreach (StoredImage image in generation.Images)
                images.Add(archived.TryGetValue(image, out string? path) ? image with { Path = path } : image);
            _generations[generation.Number] = generation with { Images = images };
        }
    }
}
