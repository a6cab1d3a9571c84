using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Danube.Fast.Protocol.Tests;

/// <summary>What goes in comes out, for generated input (FsCheck, 300 cases each).</summary>
public sealed class RoundTripProperties
{
    private static readonly Config Quick = Config.QuickThrowOnFailure.WithMaxTest(300);

    [Fact]
    public void Envelopes_survive_every_encoding() => Check(
        Gen.Choose(0, 3).SelectMany(type => Id(32).SelectMany(id => Id(32).SelectMany(source => Id(20).SelectMany(correlation => Payload.Select(payload =>
            new Envelope
            {
                Type = (FrameType)type,
                Id = id,
                Source = source,
                Target = id,
                CorrelationId = correlation,
                Error = type == 3 ? "failed: " + source : null,
                Payload = type == 3 ? default(ReadOnlyMemory<byte>?) : payload,
            }))))),
        message =>
        {
            foreach (PayloadEncoding encoding in Enum.GetValues<PayloadEncoding>())
            {
                byte[] frame = EnvelopeCodec.Encode(message, encoding);
                Assert.True(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, int.MaxValue, out Envelope? back, out ErrorCode error), error.ToString());
                Assert.Equal((message.Type, message.Id, message.Source, message.Target, message.CorrelationId, message.Error), (back!.Type, back.Id, back.Source, back.Target, back.CorrelationId, back.Error));
                Assert.Equal((message.Payload ?? default).ToArray(), (back.Payload ?? default).ToArray());
                Assert.Equal(frame, EnvelopeCodec.Encode(new Envelope { Type = back.Type, Id = back.Id, Source = back.Source, Target = back.Target, CorrelationId = back.CorrelationId, Error = back.Error, Payload = back.Payload ?? message.Payload }, encoding));
            }
        });

    [Fact]
    public void Any_bytes_as_an_id_survive() => Check(
        Gen.ArrayOf(Gen.Choose(1, 255).Select(b => (byte)b)).Select(bytes => bytes[..Math.Min(bytes.Length, 32)]),
        bytes =>
        {
            byte[] frame = new byte[128];
            EnvelopeHeaderWriter.Write(frame, FrameType.Event, PayloadEncoding.Plain, 0, bytes, default, default, default);
            Assert.True(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, 128, out Envelope? message, out _));
            Assert.Equal(frame, EnvelopeCodec.Encode(message!, PayloadEncoding.Plain));
        });

    [Fact]
    public void Json_lines_survive() => Check(
        Id(32).SelectMany(id => Id(20).Select(correlation => (id, correlation))),
        ids =>
        {
            var message = new Envelope { Type = FrameType.Error, Id = ids.id, CorrelationId = ids.correlation, Error = "x\u2028<" + ids.id, Payload = "{ \"a\" : [ 1 , \" \\\" \" ] }"u8.ToArray() };
            byte[] line = JsonLineCodec.Encode(message);
            Assert.DoesNotContain((byte)'\n', line);
            Assert.True(JsonLineCodec.TryDecode(line, EnvelopeMode.Strict, 4096, out Envelope? back, out _));
            Assert.Equal((message.Id, message.CorrelationId, message.Error), (back!.Id, back.CorrelationId, back.Error));
            Assert.Equal("{\"a\":[1,\" \\\" \"]}", Encoding.UTF8.GetString(back.Payload!.Value.Span));
        });

    [Fact]
    public void Records_survive_every_codec() => Check(
        Gen.NonEmptyListOf(Payload.SelectMany(payload => Payload.SelectMany(key => Gen.Choose(0, 7).Select(parts => (payload, key, parts))))),
        records =>
        {
            foreach (Codec codec in Enum.GetValues<Codec>())
            {
                using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame, initialCapacity: 1);
                byte[] room = new byte[1000];
                foreach ((byte[] payload, byte[] key, int parts) in records)
                {
                    var attributes = new AttributeWriter(room);
                    if ((parts & 2) != 0)
                    {
                        Assert.True(attributes.TryAdd("name", key));
                    }

                    Assert.True(writer.TryAppend((parts & 1) != 0, (parts & 1) != 0 ? key : default, attributes.Packed, (parts & 4) != 0 ? -5 : 0, payload));
                }

                ReadOnlySpan<byte> frame = writer.Seal(new PublishFields { Sequence = 1 }, 1, codec).Span;
                Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame, ProtocolLimits.DefaultMaxFrame));
                var run = new RunReader(frame);
                Assert.True(run.TryRead(out StoredFrame stored));
                byte[]? scratch = null;
                Assert.True(Compression.TryUnpack(stored, ProtocolLimits.DefaultMaxFrame, ref scratch, out ReadOnlySpan<byte> bytes));
                var reader = new RecordReader(bytes);
                foreach ((byte[] payload, byte[] key, int parts) in records)
                {
                    Assert.True(reader.TryRead(out Record record));
                    Assert.Equal((RecordFlags)parts, record.Flags);
                    Assert.Equal(payload, record.Payload);
                    Assert.Equal((parts & 1) != 0 ? key : [], record.Key);
                    Assert.Equal((parts & 4) != 0 ? -5 : 0, record.EventTimeMicros);
                    var read = new AttributeReader(record.PackedAttributes);
                    Assert.Equal((parts & 2) != 0, read.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value));
                    if ((parts & 2) != 0)
                    {
                        Assert.Equal("name"u8, name);
                        Assert.Equal(key, value);
                    }
                }

                Assert.False(reader.TryRead(out _));
                Assert.Equal(0, reader.Remaining);
            }
        });

    private static Gen<byte[]> Payload =>
        Gen.Choose(0, 600).SelectMany(length => Gen.Choose(0, 255).Select(seed => Enumerable.Range(0, length).Select(i => (byte)(seed + (i / 7))).ToArray()));

    /// <summary>Text that fits the field, of characters of one to four bytes, without NUL.</summary>
    private static Gen<string> Id(int limit) =>
        Gen.ArrayOf(Gen.Elements("a", "Z", "$", "/", "\"", "\n", "é", "測", "🎉", "\u2028")).Select(parts =>
        {
            string text = "";
            foreach (string part in parts)
            {
                text = Encoding.UTF8.GetByteCount(text + part) <= limit ? text + part : text;
            }

            return text;
        });

    private static void Check<T>(Gen<T> generator, Action<T> property) => Prop.ForAll(generator.ToArbitrary(), property).Check(Quick);
}
