namespace Dormouse.Coordinator.Generations;

/// <summary>All images of one checkpoint.</summary>
public sealed record Generation(uint Number, DateTimeOffset CommittedAt, IReadOnlyList<StoredImage> Images);
