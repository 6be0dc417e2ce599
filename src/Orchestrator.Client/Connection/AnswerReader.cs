using System.Buffers;
using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;

namespace Orchestrator.Client.Connection;

/// <summary>
/// Confines an unreadable answer to the operation that it answers. A stream message may carry the answers of many operations, and
/// reconnecting does not help: the coordinator would send the same bytes again.
/// </summary>
internal sealed class AnswerReader : ContextInterceptor
{
    private static readonly ConcurrentDictionary<(string Method, Type Response), object> Methods = new();

    protected override ClientInterceptorContext<TRequest, TResponse> With<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context)
    {
        var method = Methods.GetOrAdd(
            (context.Method.FullName, typeof(TResponse)),
            static (_, method) => new Method<TRequest, TResponse>(
                method.Type, method.ServiceName, method.Name, method.RequestMarshaller, Tolerant(
                    method.ResponseMarshaller, method.FullName)),
            context.Method);
        return new ClientInterceptorContext<TRequest, TResponse>((Method<TRequest, TResponse>)method, context.Host, context.Options);
    }

    private static Marshaller<T> Tolerant<T>(Marshaller<T> marshaller, string method)
        where T : class => Marshallers.Create(marshaller.ContextualSerializer, context => Read(marshaller, method, context));

    private static T Read<T>(Marshaller<T> marshaller, string method, DeserializationContext context)
        where T : class
    {
        try
        {
            return marshaller.ContextualDeserializer(context);
        }
        catch (InvalidProtocolBufferException exception)
        {
            var bytes = context.PayloadAsReadOnlySequence().ToArray();
            try
            {
                if (typeof(T) == typeof(ConnectResponse))
                    return (T)(object)ReadOutcomes(bytes);
                if (typeof(T) == typeof(StreamTasksResponse))
                    return (T)(object)ReadResults(bytes);
            }
            catch (InvalidDataException)
            {
                // More than a single answer is unreadable.
            }

            throw new RpcException(
                new Status(StatusCode.DataLoss, $"an answer of {method.TrimStart('/')} cannot be read: {exception.Message}", exception));
        }
    }

    private static ConnectResponse ReadOutcomes(ReadOnlySpan<byte> message)
    {
        var items = new RepeatedFieldReader<ConnectResponse>(message, ConnectResponse.OutcomesFieldNumber);
        var outcomes = new List<Outcome>();
        while (items.Next(out var item))
        {
            try
            {
                outcomes.Add(Outcome.Parser.ParseFrom(item.Span));
            }
            catch (InvalidProtocolBufferException exception)
            {
                outcomes.Add(new Outcome
                {
                    OperationId = ReadNumber(item.Span, Outcome.OperationIdFieldNumber),
                    Error = new OperationError
                    {
                        Code = (int)StatusCode.DataLoss,
                        Message = $"the outcome of this operation cannot be read: {exception.Message}"
                    },
                });
            }
        }

        var response = items.Rest ?? new ConnectResponse();
        response.Outcomes.AddRange(outcomes);
        return response;
    }

    private static StreamTasksResponse ReadResults(ReadOnlySpan<byte> message)
    {
        var items = new RepeatedFieldReader<StreamTasksResponse>(message, StreamTasksResponse.ResultsFieldNumber);
        var results = new List<TaskResult>();
        while (items.Next(out var item))
        {
            try
            {
                results.Add(TaskResult.Parser.ParseFrom(item.Span));
            }
            catch (InvalidProtocolBufferException exception)
            {
                results.Add(new TaskResult
                {
                    TaskId = ReadNumber(item.Span, TaskResult.TaskIdFieldNumber),
                    Tag = ReadNumber(item.Span, TaskResult.TagFieldNumber),
                    State = TaskState.Failed,
                    Error = new TaskError { Message = $"the task has ended, and its result cannot be read: {exception.Message}" },
                });
            }
        }

        var response = items.Rest ?? new StreamTasksResponse();
        response.Results.AddRange(results);
        return response;
    }

    private static ulong ReadNumber(ReadOnlySpan<byte> message, int field)
    {
        var reader = new FieldReader(message);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == (uint)field << 3)
                return reader.ReadVarint();
            reader.Skip(tag);
        }

        return 0;
    }
}
