// World: Ordinary.

using Mono.Cecil;

namespace Dormouse.Generator;

/// <summary>The C99 spelling of the types that an exported function may have; the same as DNNE's.</summary>
internal static class CType
{
    private const string Override = "DNNE.C99TypeAttribute";

    /// <summary>What C calls this type, or null when no C function can have it.</summary>
    public static string? From(TypeReference type) => type switch
    {
        PointerType pointer => From(pointer.ElementType) is { } element ? element + "*" : null,
        FunctionPointerType => "intptr_t",
        { MetadataType: MetadataType.SByte } => "int8_t",
        { MetadataType: MetadataType.Byte } => "uint8_t",
        { MetadataType: MetadataType.Int16 } => "int16_t",
        { MetadataType: MetadataType.UInt16 } => "uint16_t",
        { MetadataType: MetadataType.Int32 } => "int32_t",
        { MetadataType: MetadataType.UInt32 } => "uint32_t",
        { MetadataType: MetadataType.Int64 } => "int64_t",
        { MetadataType: MetadataType.UInt64 } => "uint64_t",
        { MetadataType: MetadataType.IntPtr } => "intptr_t",
        { MetadataType: MetadataType.UIntPtr } => "uintptr_t",
        { MetadataType: MetadataType.Void } => "void",
        _ => null,
    };

    /// <summary>The spelling that a <c>[C99Type]</c> attribute gives, or that of the type itself.</summary>
    public static string? From(TypeReference type, IEnumerable<CustomAttribute> attributes)
        => attributes.FirstOrDefault(attribute => attribute.AttributeType.FullName == Override) is { } given
            ? (string)given.ConstructorArguments[0].Value
            : From(type);

    /// <summary>True for what one integer register carries as it is: all that an entry point may take and a gate can hand on.</summary>
    public static bool FitsRegister(TypeReference type) => type switch
    {
        PointerType or FunctionPointerType => true,
        { MetadataType: >= MetadataType.SByte and <= MetadataType.UInt64 or MetadataType.IntPtr or MetadataType.UIntPtr } => true,
        { MetadataType: MetadataType.ValueType } => type.Resolve() is { IsEnum: true },
        _ => false,
    };

    public static bool IsSigned(TypeReference type)
        => type.MetadataType is MetadataType.SByte or MetadataType.Int16 or MetadataType.Int32 or MetadataType.Int64 or MetadataType.IntPtr;
}
