using NUnit.Framework;

// Two at a time: most samples wait most of the time, and the machines this runs on have at least two cores.
[assembly: Parallelizable(ParallelScope.Children)]
[assembly: LevelOfParallelism(2)]
[assembly: FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
