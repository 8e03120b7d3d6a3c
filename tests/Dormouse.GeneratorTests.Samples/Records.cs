namespace Dormouse.GeneratorTests.Samples;

public static class Records
{
    public sealed record Silent(int Number);

    public readonly record struct Small(int Number);

    public readonly record struct Speaking(int Number)
    {
        public override string ToString() => "a number";
    }
}
