using Google.Protobuf;
using Google.Protobuf.Reflection;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>Part 5, 16: the table of limits covers every string and list of the contract.</summary>
public sealed class FieldLimitsTests
{
    private static readonly ServiceDescriptor[] Services =
    [
        TaskService.Descriptor, AdminService.Descriptor, SessionService.Descriptor, QueueService.Descriptor, PipeService.Descriptor,
        StateService.Descriptor, SyncService.Descriptor,
    ];

    /// <summary>Part 5, 16: the table covers every string and list that a request may hold.</summary>
    [Fact]
    public void Every_string_and_list_of_every_request_has_a_limit()
    {
        var fields = Services.SelectMany(service => service.Methods).SelectMany(method => RequestFields.PathsOf(method.InputType)).ToList();
        Assert.True(fields.Count > 150, $"{fields.Count} fields");
        foreach (var path in fields)
        {
            var field = path[^1];
            Assert.True(field.IsMap || field.FieldType != FieldType.String
                || FieldLimits.OfString(field) is not null, $"{field.FullName} has no limit of its length");
            Assert.True(!field.IsRepeated || FieldLimits.OfCount(field) is not null, $"{field.FullName} has no limit of its elements");
        }
    }

    /// <summary>Part 5, 16: a field within its limit passes; a larger one is rejected by name.</summary>
    [Fact]
    public void A_field_is_within_its_limit_or_named()
    {
        foreach (var (path, name, isLength) in Services.SelectMany(service => service.Methods)
            .SelectMany(method => CasesOf(method.InputType)))
        {
            var maximum = FieldLimits.All.Single(limit => limit.Name == name).Maximum;
            Assert.Null(FieldLimits.Find(RequestFields.Build(path, maximum, isLength)));
            var violation = FieldLimits.Find(RequestFields.Build(path, maximum + 1, isLength));
            Assert.True(violation is not null, path[^1].FullName);
            Assert.StartsWith(string.Join('.', path.Select(field => field.Name)),
                violation.Value.Field.Replace("[0]", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Contains($"({name})", violation.Value.Description, StringComparison.Ordinal);
        }
    }

    /// <summary>Part 5, 16: a page holds at least one item, and no more than requested.</summary>
    [Theory]
    [InlineData(3, 10, 100, 3)]
    [InlineData(3, 2, 100, 2)]
    [InlineData(3, 10, 3_000_000, 1)]
    [InlineData(5, 10, 900_000, 2)]
    [InlineData(0, 10, 100, 0)]
    public void A_page_holds_what_fits(int items, int size, int bytes, int expected) =>
        Assert.Equal(
            expected, Pages.Fitting([.. Enumerable.Repeat(new Payload { Data = ByteString.CopyFrom(new byte[bytes]) }, items)], size));

    /// <summary>Each string and list with its limits: of its length, of its elements, or of both.</summary>
    private static IEnumerable<(FieldDescriptor[] Path, string Limit, bool IsLength)> CasesOf(MessageDescriptor message)
    {
        foreach (var path in RequestFields.PathsOf(message))
        {
            if (FieldLimits.OfString(path[^1]) is { } length)
                yield return (path, length.Name, true);
            if (FieldLimits.OfCount(path[^1]) is { } count)
                yield return (path, count.Name, false);
        }
    }
}
