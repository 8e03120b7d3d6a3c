global using Dormouse.Protocol;
