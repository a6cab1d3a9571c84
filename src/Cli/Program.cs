using Danube.Fast.Cli;

return await CliCommandLine.RunAsync(args, Console.Out, Console.Error);
