using System.CommandLine;
using Danube.Fast.Wal;

namespace Danube.Fast.Cli.Logs;

/// <summary><c>log inspect | verify</c>: a stopped broker's data folder. Nothing in it is changed.</summary>
internal static class LogCommand
{
    public static Command Create(TextWriter output, TextWriter error) => new("log", "Looks into the data folder of a stopped broker.")
    {
        Make("inspect", "Prints checkpoint, cursors and segments.", verify: false, output, error),
        Make("verify", "Reads every stored frame and checks it, by the rules of recovery.", verify: true, output, error),
    };

    private static Command Make(string name, string description, bool verify, TextWriter output, TextWriter error)
    {
        var folder = new Argument<string>("DIR") { Description = "The data folder (the broker's --data-dir)." };
        var command = new Command(name, description + " Exit code 0: all good; 1: something is damaged; 2: not looked at.") { folder };
        command.Runs(error, async (parsed, _) =>
        {
            string path = parsed.GetValue(folder)!;
            if (!DirectoryInspection.IsDataDirectory(path))
            {
                await error.WriteLineAsync($"danube-cli: {path} is no data folder of a broker");
                return CliCommandLine.Usage;
            }

            DirectoryPicture picture;
            try
            {
                picture = DirectoryInspection.Run(path, verify);
            }
            catch (DataDirectoryLockedException e)
            {
                await error.WriteLineAsync($"danube-cli: {e.Message}");
                return CliCommandLine.Usage;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await error.WriteLineAsync($"danube-cli: {path} was not looked at: {e.Message} Run this as the user that the broker runs as.");
                return CliCommandLine.Usage;
            }

            if (verify)
            {
                LogText.WriteVerified(output, picture);
            }
            else
            {
                LogText.WriteAll(output, picture);
            }

            foreach (string fault in picture.Faults)
            {
                output.WriteLine("damaged: " + fault);
            }

            return picture.Faults.Count == 0 ? CliCommandLine.Success : CliCommandLine.Failure;
        });
        return command;
    }
}
