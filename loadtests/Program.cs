using Danube.Fast.LoadTests.CommandLine;

return await LoadTestCommand.RunAsync(args, Console.Out, Console.Error);
