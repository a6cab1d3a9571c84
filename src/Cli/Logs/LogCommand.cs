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
        var command = new Command(name, description + " Exit code 1 when something is damaged.") { folder };
        command.Runs(error, (parsed, _) =>
        {
            DirectoryPicture picture = DirectoryInspection.Run(parsed.GetValue(folder)!, verify);
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

            return Task.FromResult(picture.Faults.Count == 0 ? CliCommandLine.Success : CliCommandLine.Failure);
        });
        return command;
    }
}
