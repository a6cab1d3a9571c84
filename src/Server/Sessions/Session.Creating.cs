using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// Topics that are created in a cluster: the answer waits for a broker that serves them, so creations that follow each other are under way together.
/// What comes behind them waits for them; frames of version 2 do not.
/// </summary>
internal sealed partial class Session
{
    // Whoever asks for more at once waits until one of them is done.
    private const int MaxCreations = 1024;

    private readonly List<Task> _creations = [];

    /// <summary>True when the request was begun and its answer follows by itself.</summary>
    private async ValueTask<bool> BeginsAsync(Envelope request)
    {
        bool isApart = request.Id == Commands.CreateTopic && _services.Topics.Lookup is not null;
        if (_creations.Count > 0)
        {
            _creations.RemoveAll(c => c.IsCompleted);
            if (!isApart)
            {
                await EndCreationsAsync();
            }
            else if (_creations.Count == MaxCreations)
            {
                await Task.WhenAny(_creations);
            }
        }

        if (isApart)
        {
            _creations.Add(CreateApartAsync(request));
        }

        return isApart;
    }

    // The payload lies in the receive buffer: it is read before the first wait.
    private async Task CreateApartAsync(Envelope request)
    {
        await AnswerAsync(request);
        _output.Flush();
    }

    private async ValueTask EndCreationsAsync()
    {
        await Task.WhenAll(_creations);
        _creations.Clear();
    }
}
