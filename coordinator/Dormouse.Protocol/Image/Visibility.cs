using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Dormouse.ImageTests")]
