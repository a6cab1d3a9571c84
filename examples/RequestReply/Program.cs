// Questions and answers between clients. The broker passes them on by name; nothing is stored.
using System.Globalization;
using System.Text;
using Danube.Fast.Client;

string url = args.Length > 0 ? args[0] : Environment.GetEnvironmentVariable("DANUBE_URL") ?? "danube://127.0.0.1:6650";

// The answering side needs a name that the others know. A real program would be another process.
string name = $"calculator-{Environment.ProcessId}";
await using DanubeClient calculator = await DanubeClient.ConnectAsync(url, new DanubeClientOptions { ClientName = name });
calculator.OnRequest("square", (request, _) =>
{
    long number = long.Parse(request.Payload.Span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    return new ValueTask<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes((number * number).ToString(CultureInfo.InvariantCulture)));
});
var heard = new TaskCompletionSource<string>();
calculator.OnEvent("thanks", (message, _) =>
{
    heard.TrySetResult(message.Source);
    return default;
});

// The asking side gets a made-up name, by which the answers find it.
await using DanubeClient client = await DanubeClient.ConnectAsync(url);
string[] answers = await Task.WhenAll(Enumerable.Range(1, 10).Select(AskAsync));
Console.WriteLine($"squares: {string.Join(' ', answers)}");

// What the handler throws comes back as an error; so does a name that nobody has.
Console.WriteLine(await TryAsync(name, "square", "not a number"));
Console.WriteLine(await TryAsync("nobody", "square", "1"));

// An event has no answer.
await client.SendEventAsync(name, "thanks", default);
Console.WriteLine($"{await heard.Task.WaitAsync(TimeSpan.FromSeconds(10))} says thanks");
return answers[^1] == "100" ? 0 : 1;

async Task<string> AskAsync(int number)
{
    byte[] question = Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));
    ReadOnlyMemory<byte> answer = await client.RequestAsync(name, "square", question, TimeSpan.FromSeconds(10));
    return Encoding.UTF8.GetString(answer.Span);
}

async Task<string> TryAsync(string target, string id, string question)
{
    try
    {
        return Encoding.UTF8.GetString((await client.RequestAsync(target, id, Encoding.UTF8.GetBytes(question))).Span);
    }
    catch (DanubeException e)
    {
        return e.Message;
    }
}
