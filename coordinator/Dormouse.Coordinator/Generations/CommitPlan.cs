using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.Generations;

/// <summary>Who renames what so that a generation takes the place of the one before.</summary>
internal sealed class CommitPlan(Generation generation)
{
    private readonly Dictionary<uint, List<ImageRename>> _renames = [];

    /// <summary>What there will be when all is done.</summary>
    public Generation Generation { get; } = generation;

    /// <summary>Older images that move, and where to.</summary>
    public Dictionary<StoredImage, string> Archived { get; } = [];

    public IReadOnlyList<ImageRename> Of(Member member) => _renames.TryGetValue(member.Id, out List<ImageRename>? list) ? list : [];

    public void Add(Member member, ImageRename rename)
    {
        if (!_renames.TryGetValue(member.Id, out List<ImageRename>? list)) _renames.Add(member.Id, list = []);
        list.Add(rename);
    }
}
