using System.CommandLine;
using System.Text;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Request;

/// <summary><c>request</c>: asks another client and prints its answer.</summary>
internal static class RequestCommand
{
    private const string ReadInput = "-";

    public static Command Create(TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        var target = new Argument<string>("client") { Description = "Name of the connected client to ask." };
        var id = new Argument<string>("id") { Description = "What is asked: the message id, which the client's handler answers to." };
        var payload = new Option<string?>("--payload", "-p") { Description = "The question; with '-' it is read from the standard input. Without it the question is empty." };
        Option<LineEncoding> encoding = SharedOptions.Encoding("How question and answer are written.");
        Option<string?> timeout = SharedOptions.Time("--timeout", "How long to wait for the answer; 30 s without it", TimeSpan.FromDays(1));
        var name = new Option<string?>("--name") { Description = "Name of this client, to which the answer goes; made up without it." };
        foreach ((Argument<string> argument, string what) in new[] { (target, "client"), (id, "id") })
        {
            argument.Validators.Add(result => Check(result.GetValueOrDefault<string>(), what, result.AddError));
        }

        name.Validators.Add(result => Check(result.GetValueOrDefault<string?>() ?? "", "--name", result.AddError));
        var command = new Command("request", "Sends a request to a connected client by its name and prints the answer.") { target, id, url, payload, encoding, timeout, name };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            var codec = new PayloadCodec(parsed.GetValue(encoding));
            byte[] text = parsed.GetValue(payload) == ReadInput ? await ReadAllAsync(cancellationToken) : Encoding.UTF8.GetBytes(parsed.GetValue(payload) ?? "");
            if (!codec.TryDecode(text, out ReadOnlyMemory<byte> question))
            {
                throw new InvalidDataException($"The question is not {parsed.GetValue(encoding).ToString().ToLowerInvariant()}.");
            }

            await using DanubeClient client = await DanubeClient.ConnectAsync(
                parsed.GetValue(url)!, new DanubeClientOptions { ClientName = parsed.GetValue(name) }, cancellationToken);
            ReadOnlyMemory<byte> answer = await client.RequestAsync(
                parsed.GetValue(target)!, parsed.GetValue(id)!, question, SharedOptions.Time(parsed, timeout), cancellationToken);
            var output = new Consume.OutputBuffer(StandardOutput.Open());
            output.Write(codec.Encode(answer.Span));
            output.Write("\n"u8);
            output.Flush();
            return CliCommandLine.Success;
        });
        return command;
    }

    private static void Check(string text, string what, Action<string> addError)
    {
        bool isId = what == "id";
        if (!(isId ? PeerNames.IsMessageId(text) : PeerNames.IsName(text)))
        {
            addError($"{what} takes {(isId ? PeerNames.MessageIdRule : PeerNames.NameRule)}; '{text}' is none.");
        }
    }

    private static async Task<byte[]> ReadAllAsync(CancellationToken cancellationToken)
    {
        await using Stream input = Console.OpenStandardInput();
        var bytes = new MemoryStream();
        await input.CopyToAsync(bytes, cancellationToken);
        return bytes.ToArray();
    }
}
