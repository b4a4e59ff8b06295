using System.ComponentModel;
using Chatterbox.Silo.Storage;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>The database that a suite's class runs on. Where it is missing, the tests are skipped and say so.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OnDatabaseAttribute(DatabaseProvider provider) : Attribute
{
    public DatabaseProvider Provider { get; } = provider;
}

/// <summary>
/// A fact of a suite that runs as several classes: its name ends with the class's, and each may be skipped for itself.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Chatterbox.ClusterTests.Storage.ContractFactDiscoverer", "Chatterbox.ClusterTests")]
public sealed class ContractFactAttribute : FactAttribute;

/// <summary>The same for a theory whose data can be serialized, as strings and numbers can.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Chatterbox.ClusterTests.Storage.ContractTheoryDiscoverer", "Chatterbox.ClusterTests")]
public sealed class ContractTheoryAttribute : TheoryAttribute;

public sealed class ContractFactDiscoverer(IMessageSink diagnostics) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
    [
        new ContractTestCase(
            diagnostics, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod),
    ];
}

public sealed class ContractTheoryDiscoverer(IMessageSink diagnostics) : TheoryDiscoverer(diagnostics)
{
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod,
        IAttributeInfo theoryAttribute, object[] dataRow) =>
    [
        new ContractTestCase(
            DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(),
            discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, dataRow),
    ];
}

public sealed class ContractTestCase : XunitTestCase
{
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("For deserialization only.")]
    public ContractTestCase()
    {
    }

    public ContractTestCase(
        IMessageSink diagnostics, TestMethodDisplay display, TestMethodDisplayOptions options,
        ITestMethod method, object[]? arguments = null)
        : base(diagnostics, display, options, method, arguments)
    {
    }

    protected override string GetDisplayName(IAttributeInfo factAttribute, string displayName) =>
        $"{base.GetDisplayName(factAttribute, displayName)} ({TestMethod.TestClass.Class.Name.Split('.')[^1]})";

    protected override string? GetSkipReason(IAttributeInfo factAttribute)
    {
        var on = TestMethod.TestClass.Class.GetCustomAttributes(typeof(OnDatabaseAttribute)).FirstOrDefault();
        return on is null
            ? base.GetSkipReason(factAttribute)
            : TestDatabase.Missing(on.GetNamedArgument<DatabaseProvider>(nameof(OnDatabaseAttribute.Provider)));
    }
}
