using System.Text.Json.Serialization;

namespace Danube.Fast.Protocol;

/// <summary>Source-generated JSON of the control plane: snake_case, unknown members and nulls where none belong are refused, null members left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HelloPayload))]
[JsonSerializable(typeof(HelloReply))]
[JsonSerializable(typeof(ErrorPayload))]
[JsonSerializable(typeof(TopicSpec))]
[JsonSerializable(typeof(TopicRequest))]
[JsonSerializable(typeof(TopicInfo))]
[JsonSerializable(typeof(ListTopicsRequest))]
[JsonSerializable(typeof(ListTopicsReply))]
[JsonSerializable(typeof(CreateProducerRequest))]
[JsonSerializable(typeof(CreateProducerReply))]
[JsonSerializable(typeof(SubscribeRequest))]
[JsonSerializable(typeof(SubscribeReply))]
[JsonSerializable(typeof(UnsubscribeRequest))]
[JsonSerializable(typeof(SeekRequest))]
[JsonSerializable(typeof(SeekReply))]
[JsonSerializable(typeof(TopicPolicy))]
[JsonSerializable(typeof(NamespaceSpec))]
[JsonSerializable(typeof(NamespaceRequest))]
[JsonSerializable(typeof(SubscriptionPolicy))]
[JsonSerializable(typeof(SubscriptionRequest))]
[JsonSerializable(typeof(SubscriptionDetails))]
[JsonSerializable(typeof(SkipRequest))]
[JsonSerializable(typeof(SkipReply))]
[JsonSerializable(typeof(PeekRequest))]
[JsonSerializable(typeof(PeekReply))]
[JsonSerializable(typeof(MessageBody))]
[JsonSerializable(typeof(PublishRequest))]
[JsonSerializable(typeof(PublishReply))]
[JsonSerializable(typeof(CreditRequest))]
[JsonSerializable(typeof(AckRequest))]
[JsonSerializable(typeof(CloseRequest))]
[JsonSerializable(typeof(LookupRequest))]
[JsonSerializable(typeof(LookupReply))]
[JsonSerializable(typeof(MessageStatsRequest))]
[JsonSerializable(typeof(MessageStatsReply))]
[JsonSerializable(typeof(MessageCountReply))]
[JsonSerializable(typeof(EmptyReply))]
public sealed partial class ControlJson : JsonSerializerContext;
