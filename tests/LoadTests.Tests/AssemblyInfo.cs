// Broker processes and their load share the machine: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
