using System.Buffers.Binary;
using System.Text;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>A connection to the stream port of a RabbitMQ server, logged in as guest.</summary>
internal sealed class StreamConnection : IDisposable
{
    private const uint NoHeartbeat = 0;

    private readonly PeerConnection _connection;
    private readonly WireBuffer _output = new(4096);
    private uint _correlation;

    public StreamConnection(int port)
    {
        _connection = new PeerConnection(port);
        Request(StreamCommand.PeerProperties, o => o.WriteUInt32(0));
        Request(StreamCommand.SaslHandshake, _ => { });
        Request(StreamCommand.SaslAuthenticate, o =>
        {
            WriteString(o, "PLAIN");
            const string Opaque = "\0guest\0guest";
            o.WriteUInt32((uint)Opaque.Length);
            o.WriteText(Opaque);
        });
        StreamFrame tune = Next();
        if (tune.Key != StreamCommand.Tune)
        {
            throw new InvalidDataException($"RabbitMQ sent {tune.Key} instead of Tune.");
        }

        uint frameMax = BinaryPrimitives.ReadUInt32BigEndian(tune.Body);
        int frame = StreamPublishEncoder.Begin(_output, StreamCommand.Tune);
        _output.WriteUInt32(frameMax);
        _output.WriteUInt32(NoHeartbeat);
        StreamPublishEncoder.End(_output, frame);
        _connection.Send(_output);
        Request(StreamCommand.Open, o => WriteString(o, "/"));
    }

    public static void WriteString(WireBuffer output, string text)
    {
        output.WriteUInt16((ushort)Encoding.UTF8.GetByteCount(text));
        output.WriteText(text);
    }

    /// <summary>One request, and its response with the code "ok". Frames that come in between are dropped.</summary>
    /// <exception cref="InvalidDataException">It was refused.</exception>
    public void Request(ushort command, Action<WireBuffer> body)
    {
        int frame = StreamPublishEncoder.Begin(_output, command);
        _output.WriteUInt32(++_correlation);
        body(_output);
        StreamPublishEncoder.End(_output, frame);
        _connection.Send(_output);
        StreamFrame answer;
        do
        {
            answer = Next();
        }
        while (answer.Key != (command | StreamCommand.ResponseBit));

        if (answer.Response.Code != StreamCommand.Ok)
        {
            throw new InvalidDataException($"RabbitMQ refused command {command} with code {answer.Response.Code}.");
        }
    }

    public void Send(WireBuffer output) => _connection.Send(output);

    /// <summary>Waits for the next frame, valid until the next call.</summary>
    public StreamFrame Next()
    {
        StreamFrame frame;
        while (!TryNext(out frame))
        {
            _connection.Fill();
        }

        return frame;
    }

    /// <summary>The next frame that has come completely.</summary>
    public bool TryNext(out StreamFrame frame)
    {
        int length = StreamFrame.Scan(_connection.Unread, out frame);
        _connection.Consume(length);
        return length > 0;
    }

    public void Dispose() => _connection.Dispose();
}
