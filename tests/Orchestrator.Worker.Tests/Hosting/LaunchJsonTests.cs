using System.Text;
using Google.Protobuf;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tests.Hosting;

public sealed class LaunchJsonTests
{
    /// <summary>Every field is set by reflection, so that a field added to the contract and forgotten here fails.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_field_is_read_as_protobuf_writes_it(bool originalNames)
    {
        var launch = new WorkerLaunch();
        foreach (var field in WorkerLaunch.Descriptor.Fields.InDeclarationOrder())
        {
            field.Accessor.SetValue(launch, field.FieldType switch
            {
                Google.Protobuf.Reflection.FieldType.String => $"{field.Name} \"1\"",
                Google.Protobuf.Reflection.FieldType.Int64 => 1234567890123L,
                _ => field.FieldNumber,
            });
        }

        var formatter = new JsonFormatter(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(originalNames));
        Assert.Equal(launch, LaunchContractParser.Parse(Encoding.UTF8.GetBytes(formatter.Format(launch))));
    }

    [Fact]
    public void Unknown_fields_are_skipped()
    {
        var launch = LaunchContractParser.Parse(
            """{"future": {"a": [1, {}]}, "socket": "/s", "token": "t", "incarnation": 7, "core": -1, "name": null}"""u8);
        Assert.Equal(new WorkerLaunch { Socket = "/s", Token = "t", Incarnation = 7, Core = -1 }, launch);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("[]")]
    [InlineData("""{"socket": "/s"}""")]
    [InlineData("""{"socket": "/s", "token": "t", "core": "x"}""")]
    [InlineData("""{"socket": "/s", "token": "t", "core": 99999999999}""")]
    [InlineData("""{"socket": 5, "token": "t"}""")]
    [InlineData("""{"socket": "/s", "token": "t" """)]
    public void Anything_else_is_no_launch_order(string text) => Assert.Null(LaunchContractParser.Parse(Encoding.UTF8.GetBytes(text)));
}
