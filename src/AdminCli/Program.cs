using Danube.Fast.AdminCli;

return await AdminCommandLine.RunAsync(args, Console.Out, Console.Error);
