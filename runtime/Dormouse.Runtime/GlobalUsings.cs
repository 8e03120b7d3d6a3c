global using Dormouse.Protocol;
global using Dormouse.Runtime.Files;
