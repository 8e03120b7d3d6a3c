// World: Ordinary.

using System.Runtime.InteropServices;

namespace Dormouse.Generator.Checks;

/// <summary>Public entry points bear the name of a function that libc has; others begin with <c>dm_managed_</c>.</summary>
internal static class NameCheck
{
    /// <param name="also">The functions of libc that C exports.</param>
    public static IEnumerable<Finding> Run(IReadOnlyList<EntryPoint> entries, IReadOnlyList<string> also)
    {
        foreach (IGrouping<string, EntryPoint> same in entries.GroupBy(entry => entry.Name).Where(group => group.Count() > 1))
            yield return new Finding(Rule.NotUnique, $"{string.Join(" and ", same)} have the same name");
        // get_fast_callable_managed_function finds a method by the names of type and method only.
        foreach (var same in entries.Where(entry => entry.IsExported).GroupBy(entry => (entry.Method.DeclaringType.FullName, entry.Method.Name)).Where(group => group.Count() > 1))
            yield return new Finding(Rule.NotUnique, $"{string.Join(" and ", same)} are overloads: give the methods different names");

        foreach (EntryPoint entry in entries.Where(entry => also.Contains(entry.Name)))
            yield return new Finding(Rule.NotUnique, $"{entry} is exported by C already, see native-shim/exports.txt");

        using LibcNames libc = LibcNames.Open();
        foreach (EntryPoint entry in entries.Where(entry => entry.Name.Length > 0))
        {
            bool isOwn = entry.Name.StartsWith(EntryPoint.OwnPrefix, StringComparison.Ordinal);
            if (entry.IsExported && !libc.Contains(entry.Name))
                yield return new Finding(Rule.NoCounterpart, $"{entry} is public, but libc has no {entry.Name}; an entry point for native-shim is internal and begins with {EntryPoint.OwnPrefix}");
            if (!entry.IsExported && !isOwn)
                yield return new Finding(Rule.NoCounterpart, $"{entry} is not public, so it is not exported; make it public to replace a function of libc, or begin its name with {EntryPoint.OwnPrefix}");
        }

        foreach (string name in also.Where(name => !libc.Contains(name)))
            yield return new Finding(Rule.NoCounterpart, $"{name} is in the list of what C exports, but libc has no {name}");
    }

    /// <summary>The functions of the libc of this machine.</summary>
    private sealed class LibcNames : IDisposable
    {
        private nint _handle;

        public static LibcNames Open() => new() { _handle = NativeLibrary.Load("libc.so.6") };

        public bool Contains(string name) => NativeLibrary.TryGetExport(_handle, name, out _);

        public void Dispose() => NativeLibrary.Free(_handle);
    }
}
